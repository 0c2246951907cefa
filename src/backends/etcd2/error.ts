import type { CallContext } from '../../topo/calls.js';
import { type DialFailure, dialFailures } from '../../topo/dial-failures.js';
import { ErrorCode, type TopologyError } from '../../topo/errors.js';
import { callFailed, type Failed, type Failures, type Meaning } from '../../topo/member-failures.js';

export { NO_TLS } from '../../topo/dial-failures.js';
export type { Meaning } from '../../topo/member-failures.js';
export { changed, noDirectory, noRecord, recordExists } from '../../topo/refusals.js';

/** gRPC's status codes, those with a meaning here. */
export const Status = {
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  Aborted: 10,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;

/** How a call to one member failed. */
export class RpcFailure extends Error {
  override readonly name = 'RpcFailure';
  /** gRPC's code, see {@link Status}. */
  readonly status: number;
  /** The server's words, or gRPC's. */
  readonly details: string;
  /** `host:port` of the member. */
  readonly endpoint: string;
  /** False when it is certain that no byte of the request left for the member. */
  readonly sent: boolean;

  constructor(failure: { status: number; details: string; endpoint: string; sent: boolean }) {
    super(`${failure.endpoint}: gRPC status ${failure.status}: ${failure.details}`);
    this.status = failure.status;
    this.details = failure.details;
    this.endpoint = failure.endpoint;
    this.sent = failure.sent;
  }
}

interface Row extends Partial<Meaning> {
  readonly text: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * etcd's own errors are told by their text. All of these are given before or instead of carrying a request out, but for
 * the one about space: the write that crosses the limit is carried out, and refused nevertheless.
 */
const ROWS: readonly Row[] = [
  {
    text: /request is too large|^grpc: received message larger than max/,
    code: ErrorCode.TooLarge,
    message: 'the request is larger than the etcd servers take',
    hint: 'they were started with a smaller --max-request-bytes than etcd’s default of 1.5 MiB',
  },
  {
    text: /too many operations in txn request/,
    code: ErrorCode.TooLarge,
    message: 'the batch has more operations than the etcd servers take',
    hint: 'they were started with a smaller --max-txn-ops than etcd’s default of 128',
  },
  {
    text: /permission denied/,
    code: ErrorCode.Unauthorized,
    message: 'etcd refuses this to the user',
    hint: 'grant the user read and write on the whole root',
  },
  {
    text: /user name is empty/,
    code: ErrorCode.Unauthorized,
    message: 'etcd wants a user name and a password',
  },
  {
    text: /authentication failed/,
    code: ErrorCode.Unauthorized,
    message: 'etcd refuses the user name or the password',
  },
  {
    text: /invalid auth token|revision of auth store is old|revision in header is old/,
    code: ErrorCode.Unauthorized,
    message: 'etcd refuses the token that it gave',
  },
  {
    text: /permission is not granted to the role|role name not found/,
    code: ErrorCode.NoNode,
    message: 'there is no such role, or it does not grant this',
  },
  {
    text: /requested lease not found/,
    code: ErrorCode.LockLost,
    message: 'the lease is over',
  },
  {
    text: /required revision has been compacted/,
    code: ErrorCode.Unavailable,
    message: 'etcd was compacted past the revision that was being read',
    hint: 'begin again; raise the compaction interval of etcd if this happens again',
    retryable: true,
  },
  {
    text: /database space exceeded/,
    code: ErrorCode.Unavailable,
    message: 'the etcd servers are out of space and refuse all writes',
    hint: 'compact and defragment etcd, or raise --quota-backend-bytes, then disarm the alarm',
    retryable: false,
    refused: false,
  },
  {
    // Asked for with each call: looked at before anything else.
    text: /etcdserver: no leader/,
    code: ErrorCode.Unavailable,
    message: 'the etcd servers have no leader now',
    passing: true,
  },
  {
    text: /too many requests|rpc not supported for learner/,
    code: ErrorCode.Unavailable,
    message: 'the etcd server takes no such requests now',
    passing: true,
  },
  {
    text: /corrupt cluster/,
    code: ErrorCode.Corrupt,
    message: 'the etcd servers have raised the alarm that their data is corrupt',
  },
];

/** Codes that tell nothing about what became of the request. Any other is the answer of a server that refused it. */
const VAGUE: ReadonlySet<number> = new Set([
  Status.Cancelled,
  Status.Unknown,
  Status.DeadlineExceeded,
  Status.ResourceExhausted,
  Status.Aborted,
  Status.Internal,
  Status.Unavailable,
  Status.DataLoss,
]);

export function meaningOf({ status, details, endpoint, sent }: RpcFailure): Meaning {
  const row = ROWS.find(({ text }) => text.test(details));
  if (row !== undefined) return { refused: true, passing: false, ...row };
  if (!sent) return { ...dialFailure(status, details, endpoint), refused: true, passing: true };
  if (status === Status.DeadlineExceeded)
    return { ...dialFailures.silent(endpoint), refused: false, passing: true };
  const message = `${endpoint} answered: ${details}`;
  if (VAGUE.has(status)) return { code: ErrorCode.Unavailable, message, refused: false, passing: true };
  const kind = { refused: true, passing: false, retryable: false };
  if (status === Status.PermissionDenied || status === Status.Unauthenticated)
    return { code: ErrorCode.Unauthorized, message, ...kind };
  if (status === Status.Unimplemented)
    return {
      code: ErrorCode.Unavailable,
      message: `${endpoint} is not an etcd server with the v3 API`,
      ...kind,
    };
  return { code: ErrorCode.Unavailable, message, ...kind };
}

/** Why no connection came about, by the texts of Node and OpenSSL that gRPC passes on. */
function dialFailure(status: number, details: string, endpoint: string): DialFailure {
  if (/ECONNREFUSED/.test(details)) return dialFailures.refused(endpoint);
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(details)) return dialFailures.unresolved(endpoint);
  if (/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(details)) return dialFailures.unreachable(endpoint);
  if (/altnames/.test(details)) return dialFailures.otherName(endpoint);
  if (/certificate required|alert/.test(details)) return dialFailures.clientRefused(endpoint);
  if (/certificate|self-signed/.test(details)) return dialFailures.unknownAuthority(endpoint);
  if (/before secure TLS|wrong version number|packet length too long|EPROTO/.test(details))
    return dialFailures.noTls(endpoint);
  if (status === Status.DeadlineExceeded) return dialFailures.silent(endpoint);
  if (/Protocol error|Failed to connect|handshake|Parse Error|ERR_HTTP2/.test(details))
    return {
      code: ErrorCode.Unavailable,
      message: `${endpoint}: no etcd server answers there`,
      hint: 'check host and port: another product may listen there',
    };
  return dialFailures.other(endpoint, details);
}

export const FAILURES: Failures<RpcFailure> = {
  product: 'etcd',
  isFailure: (error) => error instanceof RpcFailure,
  meaningOf,
};

/** See {@link callFailed}. */
export function toTopologyError(
  context: Pick<CallContext, 'store'>,
  error: unknown,
  failed: Failed,
): TopologyError {
  return callFailed(FAILURES, context, error, failed);
}
