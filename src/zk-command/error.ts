import { interrupted, outcomeUnknown, timedOut } from '../topo/calls.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { ZkCode, ZooKeeperError } from '../zookeeper/client.js';

type Row = readonly [code: ErrorCode, message: string, hint?: string];

/** Codes, messages and hints of what ZooKeeper answers. */
const ROWS: ReadonlyMap<number, Row> = new Map<number, Row>([
  [ZkCode.NoNode, [ErrorCode.NoNode, 'there is no such znode', 'zk ls shows what is there']],
  [ZkCode.NodeExists, [ErrorCode.NodeExists, 'the znode exists already']],
  [ZkCode.BadVersion, [ErrorCode.BadVersion, 'somebody else wrote the znode meanwhile']],
  [
    ZkCode.NotEmpty,
    [ErrorCode.NotEmpty, 'the znode has children', 'rm -r removes it with all that is below'],
  ],
  [ZkCode.NoChildrenForEphemerals, [ErrorCode.Unsupported, 'an ephemeral znode cannot have children']],
  [
    ZkCode.NoAuth,
    [
      ErrorCode.Unauthorized,
      'the ACL refuses this to these credentials',
      'give credentials that the ACL allows, with -topo-zk-auth-file before the command',
    ],
  ],
  [ZkCode.AuthFailed, [ErrorCode.Unauthorized, 'the servers refuse the credentials']],
  [ZkCode.InvalidAcl, [ErrorCode.Unauthorized, 'the servers refuse the ACL']],
  [ZkCode.TooLarge, [ErrorCode.TooLarge, 'the data is larger than the servers take']],
  [ZkCode.BadArguments, [ErrorCode.InvalidPath, 'ZooKeeper refuses the path']],
]);

/** The TopologyError of what the client threw. A write whose answer was lost is OutcomeUnknown. */
export function toTopologyError(
  store: string,
  error: unknown,
  path: string,
  kind: 'read' | 'write',
): unknown {
  if (!(error instanceof ZooKeeperError)) return error;
  if (kind === 'write' && error.sent)
    return outcomeUnknown({ store }, path, toTopologyError(store, error, path, 'read'));
  if (error.code === ZkCode.OperationTimeout) return timedOut({ store }, path, error);
  if (error.code === ZkCode.Aborted || error.code === ZkCode.Closed)
    return interrupted({ store }, path, error);
  const [code, message, hint] = ROWS.get(error.code) ?? [ErrorCode.Unavailable, error.message];
  return new TopologyError(code, message, { path, store, hint, cause: error });
}

/** An error about the command line. */
export function usage(message: string, hint?: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, message, { hint });
}
