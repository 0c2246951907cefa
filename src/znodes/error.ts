import { type CallContext, interrupted, outcomeUnknown, timedOut } from '../topo/calls.js';
import { ErrorCode, type ErrorDetails, TopologyError } from '../topo/errors.js';
import { ZkCode, ZooKeeperError } from '../zookeeper/client.js';

type Context = Pick<CallContext, 'store' | 'flagPrefix'>;

/** What an error is about. */
export interface Failed {
  readonly path?: string | undefined;
  /** `read` also for requests that change directories only: they may be made again. */
  readonly kind: 'read' | 'write';
}

interface Row {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly retryable?: boolean;
}

const ROWS: ReadonlyMap<ZkCode, Row> = new Map([
  [ZkCode.NoNode, { code: ErrorCode.NoNode, message: 'there is no such record or directory' }],
  [ZkCode.NodeExists, { code: ErrorCode.NodeExists, message: 'the record exists already' }],
  [ZkCode.BadVersion, { code: ErrorCode.BadVersion, message: 'the record was changed meanwhile' }],
  [ZkCode.NotEmpty, { code: ErrorCode.NotEmpty, message: 'the directory is not empty' }],
  [
    ZkCode.NoChildrenForEphemerals,
    { code: ErrorCode.Unsupported, message: 'an ephemeral record cannot have records below it' },
  ],
  [
    ZkCode.NoAuth,
    {
      code: ErrorCode.Unauthorized,
      message: 'the ACL refuses this to these credentials',
      hint: 'give credentials that the ACL allows, with --topo-zk-auth-file',
    },
  ],
  [
    ZkCode.AuthFailed,
    { code: ErrorCode.Unauthorized, message: 'the servers refuse the credentials given for them' },
  ],
  [
    ZkCode.InvalidAcl,
    { code: ErrorCode.Unauthorized, message: 'the servers refuse the ACL that Vitess gives its records' },
  ],
  [ZkCode.ConnectionLoss, { code: ErrorCode.Unavailable, message: 'no ZooKeeper server answers' }],
  [ZkCode.SessionExpired, { code: ErrorCode.Unavailable, message: 'the ZooKeeper session expired' }],
  [ZkCode.SessionMoved, { code: ErrorCode.Unavailable, message: 'the ZooKeeper session moved' }],
  [ZkCode.NotReadOnly, { code: ErrorCode.Unavailable, message: 'the ZooKeeper server takes no writes now' }],
  [ZkCode.TooLarge, { code: ErrorCode.TooLarge, message: 'the request is larger than the servers take' }],
  [ZkCode.BadArguments, { code: ErrorCode.InvalidPath, message: 'ZooKeeper refuses the path' }],
  [ZkCode.MarshallingError, { code: ErrorCode.Corrupt, message: 'the answer is not ZooKeeper’s' }],
  [
    ZkCode.Unsupported,
    {
      code: ErrorCode.Unsupported,
      message: 'the chosen ZooKeeper client cannot do this',
      hint: 'use --zk-client own',
    },
  ],
  [ZkCode.Unimplemented, { code: ErrorCode.Unsupported, message: 'the ZooKeeper server cannot do this' }],
]);

const CLIENT_FAILED: Row = { code: ErrorCode.Unavailable, message: 'the ZooKeeper client failed' };

/**
 * The TopologyError of whatever a client threw. A write that was sent and not answered is OutcomeUnknown, whatever
 * ended it; its cause is what a read would have failed with.
 */
export function toTopologyError(context: Context, error: unknown, failed: Failed): TopologyError {
  if (error instanceof TopologyError) return error;
  const { path, kind } = failed;
  const lost = error instanceof ZooKeeperError ? error.sent : true;
  if (kind === 'write' && lost)
    return outcomeUnknown(context, path, toTopologyError(context, error, { kind: 'read', path }));
  if (!(error instanceof ZooKeeperError)) return failure(context, CLIENT_FAILED, { path, cause: error });
  if (error.code === ZkCode.OperationTimeout) return timedOut(context, path, error);
  if (error.code === ZkCode.Aborted || error.code === ZkCode.Closed) return interrupted(context, path, error);
  const row = ROWS.get(error.code) ?? {
    code: ErrorCode.Unavailable,
    message: `ZooKeeper answered with error ${error.code}`,
    retryable: false,
  };
  return failure(context, row, { path, cause: error, index: error.index });
}

/** NoNode for a record. */
export function noRecord(context: Context, path: string): TopologyError {
  return failure(context, { code: ErrorCode.NoNode, message: 'there is no such record' }, { path });
}

/** NoNode for a directory. */
export function noDirectory(context: Context, path: string): TopologyError {
  return failure(context, { code: ErrorCode.NoNode, message: 'there is no such directory' }, { path });
}

/** NodeExists for a record. */
export function recordExists(context: Context, path: string): TopologyError {
  return failure(context, { code: ErrorCode.NodeExists, message: 'the record exists already' }, { path });
}

/** BadVersion for a record. */
export function changed(context: Context, path: string, cause?: TopologyError): TopologyError {
  const message = 'the record is not in the state that the version names';
  return failure(context, { code: ErrorCode.BadVersion, message }, { path, cause });
}

/** NotEmpty for a record whose znode would still be one without its data. */
export function keptByChildren(context: Context, path: string): TopologyError {
  const message = 'other records are below the znode of this one, which cannot go before they do';
  return failure(context, { code: ErrorCode.NotEmpty, message, hint: 'delete these first' }, { path });
}

/** What cannot be told apart from a directory: a record of zero bytes with records below it. */
export function emptyWithChildren(context: Context, code: ErrorCode, path: string): TopologyError {
  const message = 'in ZooKeeper a record of zero bytes cannot have records below it';
  return failure(context, { code, message }, { path });
}

/**
 * OutcomeUnknown: a conditional write went through, and then its answer showed another creation of the record; `more`: of these
 * other records of a batch, too.
 */
export function recreated(context: Context, path: string, more: readonly string[] = []): TopologyError {
  const message =
    'the record was deleted and created again between the check of its version and the write, which was applied';
  const hint = 'read the record, see whose value it should have, and write it again';
  // The cause tells a retry that this write is not to be decided: it was applied, and not where it was meant. One cause a record.
  const cause = [path, ...more].reduceRight<TopologyError | undefined>(
    (next, each) => changed(context, each, next),
    undefined,
  );
  return failure(context, { code: ErrorCode.OutcomeUnknown, message, hint }, { path, cause });
}

function failure(
  context: Context,
  row: Row,
  details: Pick<ErrorDetails, 'path' | 'cause' | 'index'>,
): TopologyError {
  const { code, message, retryable } = row;
  const hint = row.hint && withFlags(context, row.hint);
  return new TopologyError(code, message, { ...details, store: context.store, hint, retryable });
}

/** A hint with the flags about this store by their names on the caller's command line. */
export function withFlags({ flagPrefix = '' }: Pick<Context, 'flagPrefix'>, hint: string): string {
  return hint.replaceAll('--topo-', `--${flagPrefix}topo-`);
}
