import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';

/** Whether a write was refused because the record is not in the state that it names. */
export function isConflict(error: unknown): error is TopologyError {
  return isTopologyError(error, ErrorCode.NodeExists, ErrorCode.BadVersion, ErrorCode.NoNode);
}

/** Why the outcome of a write is not found out by a read that fails: what is told of an unknown one is not hidden behind the read's failure. */
export function unread(write: unknown, failure: unknown): unknown {
  return isTopologyError(write, ErrorCode.OutcomeUnknown) ? write : failure;
}

/**
 * Whether a write went through and then turned out to have met another creation of the record (ZooKeeper, where a re-created record
 * starts its version again).
 */
export function metRecreation(error: unknown): error is TopologyError {
  return (
    isTopologyError(error, ErrorCode.OutcomeUnknown) && isTopologyError(error.cause, ErrorCode.BadVersion)
  );
}

/** Guard: a record of the destination is somebody else's. */
export class ForeignWrite extends TopologyError {}

/** Guard: somebody else writes to the destination. */
export function foreignWrite(store: string, path: string, cause?: unknown): ForeignWrite {
  return new ForeignWrite(
    ErrorCode.Guard,
    'somebody else changed this record of the destination meanwhile; it is left as it is, and the copy stopped there',
    {
      path,
      store,
      cause,
      hint: 'find out who writes to the destination, then run the copy again: what is written already is not written twice',
    },
  );
}

/** Guard: what cannot be undone any more, and all records that it met. `path`: where the error does not say. */
export function recreationMet(store: string, path: string, error: TopologyError): TopologyError {
  const [first = path, ...more] = recreatedIn(error.cause);
  const others = more.length === 0 ? '' : `, and so it did over ${more.join('; ')}`;
  return new TopologyError(
    ErrorCode.Guard,
    `somebody else deleted this record of the destination and created it again at the same moment, and the copy wrote over it${others}`,
    {
      path: first,
      store,
      cause: error,
      hint: 'find out who writes to the destination, and see whose value the record should have',
    },
  );
}

/** The records of a batch that were re-created: a cause for each, one behind the other. */
function recreatedIn(cause: unknown): string[] {
  if (!isTopologyError(cause, ErrorCode.BadVersion) || cause.path === undefined) return [];
  return [cause.path, ...recreatedIn(cause.cause)];
}
