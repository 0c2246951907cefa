import { type CallContext, outcomeUnknown } from '../../topo/calls.js';
import { ErrorCode, type ErrorDetails, TopologyError } from '../../topo/errors.js';

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

/** What a failure means. */
export interface Meaning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly retryable?: boolean;
  /** It is certain that the request was not carried out, and will not be. */
  readonly refused: boolean;
  /** The same request may do better with another member, or a moment later. */
  readonly passing: boolean;
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
    text: /invalid auth token|revision of auth store is old/,
    code: ErrorCode.Unauthorized,
    message: 'etcd refuses the token that it gave',
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
  if (status === Status.DeadlineExceeded) {
    return {
      code: ErrorCode.Timeout,
      message: `${endpoint}: no answer`,
      refused: false,
      passing: true,
    };
  }
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

type Dial = Pick<Meaning, 'code' | 'message' | 'hint' | 'retryable'>;

/** A server that was spoken to with TLS and does not speak it. */
export const NO_TLS = {
  what: 'the server does not speak TLS there',
  hint: 'write http:// before the server, or leave TLS out',
} as const;

/** Why no connection came about, by the texts of Node and OpenSSL that gRPC passes on. */
function dialFailure(status: number, details: string, endpoint: string): Dial {
  const down = (why: string): Dial => ({ code: ErrorCode.Unavailable, message: `${endpoint}: ${why}` });
  const wrong = (why: string, hint: string, code: ErrorCode = ErrorCode.Unavailable): Dial => ({
    code,
    message: `${endpoint}: ${why}`,
    hint,
    retryable: false,
  });
  if (/ECONNREFUSED/.test(details)) return down('connection refused');
  if (/Name resolution failed|ENOTFOUND|EAI_AGAIN/.test(details)) return down('the name does not resolve');
  if (/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(details)) return down('the host cannot be reached');
  if (/altnames/.test(details))
    return wrong(
      'the server’s certificate is for another name',
      'use the name in the certificate, or say which name it has',
    );
  if (/certificate required|alert/.test(details))
    return wrong(
      'the server does not accept the client’s certificate, or wants one',
      'give a client certificate and key that the server trusts',
      ErrorCode.Unauthorized,
    );
  if (/certificate|self-signed/.test(details))
    return wrong(
      'the server’s certificate is not signed by the given authority',
      'give the authority’s certificate as CA',
    );
  if (/before secure TLS|wrong version number|packet length too long|EPROTO/.test(details))
    return wrong(NO_TLS.what, NO_TLS.hint);
  if (status === Status.DeadlineExceeded)
    return { code: ErrorCode.Timeout, message: `${endpoint}: no answer` };
  if (/Protocol error|Failed to connect|handshake|Parse Error|ERR_HTTP2/.test(details))
    return {
      ...down('no etcd server answers there'),
      hint: 'check host and port: another product may listen there',
    };
  return down(`no connection: ${details}`);
}

/** What an error is about. */
export interface Failed {
  readonly path?: string | undefined;
  readonly kind: 'read' | 'write';
}

/** The TopologyError of a failed call. A write that may have been carried out is OutcomeUnknown, whatever ended it. */
export function toTopologyError(
  context: Pick<CallContext, 'store'>,
  error: unknown,
  failed: Failed,
): TopologyError {
  if (error instanceof TopologyError) return error;
  if (!(error instanceof RpcFailure)) {
    if (failed.kind === 'write') return outcomeUnknown(context, failed.path, error);
    return describe(
      context,
      { code: ErrorCode.Unavailable, message: 'the etcd client failed' },
      failed,
      error,
    );
  }
  const meaning = meaningOf(error);
  const found = describe(context, meaning, failed, error);
  if (failed.kind === 'read' || meaning.refused) return found;
  if (meaning.hint === undefined) return outcomeUnknown(context, failed.path, found);
  const { hint } = meaning;
  const message = `${meaning.message}: the write may have been carried out`;
  return describe(context, { code: ErrorCode.OutcomeUnknown, message, hint }, failed, found);
}

/** Unavailable for a call that no member of the store could be reached for. */
export function noMember(
  context: Pick<CallContext, 'store'>,
  failures: readonly RpcFailure[],
  path: string | undefined,
): TopologyError {
  const meanings = failures.map(meaningOf);
  const message = `no etcd server can be reached: ${meanings.map(({ message }) => message).join('; ')}`;
  const [cause] = failures;
  return describe(context, { code: ErrorCode.Unavailable, message }, { path }, cause);
}

export function noRecord(context: Pick<CallContext, 'store'>, path: string): TopologyError {
  return describe(context, { code: ErrorCode.NoNode, message: 'there is no such record' }, { path });
}

export function noDirectory(context: Pick<CallContext, 'store'>, path: string): TopologyError {
  return describe(context, { code: ErrorCode.NoNode, message: 'there is no such directory' }, { path });
}

export function recordExists(context: Pick<CallContext, 'store'>, path: string): TopologyError {
  return describe(context, { code: ErrorCode.NodeExists, message: 'the record exists already' }, { path });
}

export function changed(context: Pick<CallContext, 'store'>, path: string): TopologyError {
  const message = 'the record is not in the state that the version names';
  return describe(context, { code: ErrorCode.BadVersion, message }, { path });
}

function describe(
  { store }: Pick<CallContext, 'store'>,
  { code, message, hint, retryable }: Pick<Meaning, 'code' | 'message' | 'hint' | 'retryable'>,
  { path }: Pick<ErrorDetails, 'path'>,
  cause?: unknown,
): TopologyError {
  return new TopologyError(code, message, { store, path, hint, retryable, cause });
}
