import { ErrorCode, isTopologyError, type TopologyError } from '../../topo/errors.js';
import { type Diagnosis, diagnose, type Place } from './diagnosis.js';
import type { ScopeReading } from './reading.js';

/** Stores that cannot be read, and that cannot be written to where that was tried. */
export function reach(scopes: readonly ScopeReading[]): Diagnosis[] {
  return scopes.flatMap(({ failure, probed, ...place }) => [
    ...(failure === undefined ? [] : [unreadable(failure, place)]),
    ...(probed === undefined ? [] : probeOf(probed, place)),
  ]);
}

/** What it means that a store cannot be opened or read. */
export function unreadable(failure: TopologyError, { side, scope }: Place): Diagnosis {
  const id = isTopologyError(failure, ErrorCode.Unauthorized) ? 'refused' : 'unreachable';
  const todo = failure.hint === undefined ? {} : { todo: failure.hint };
  return diagnose(id, { side, scope, path: failure.path }, failure.message, todo);
}

function probeOf(
  { write, lock, left }: NonNullable<ScopeReading['probed']>,
  { side, scope }: Place,
): Diagnosis[] {
  const isSource = side === 'source';
  const of = (
    id: 'cannot-write' | 'cannot-lock' | 'source-not-lockable' | 'probe-left',
    error: TopologyError | undefined,
  ) =>
    error === undefined
      ? []
      : [diagnose(id, { side, scope, path: error.path }, `${error.message} [${error.code}]`)];
  return [
    ...of(isSource ? 'source-not-lockable' : 'cannot-write', write),
    ...of(isSource ? 'source-not-lockable' : 'cannot-lock', lock),
    ...of('probe-left', left),
  ];
}
