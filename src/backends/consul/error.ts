import type { CallContext } from '../../topo/calls.js';
import { type DialFailure, dialFailures } from '../../topo/dial-failures.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { callFailed, type Failed, type Failures, type Meaning } from '../../topo/member-failures.js';

export { changed, noDirectory, noRecord, recordExists } from '../../topo/refusals.js';

/** How a call to one member failed. */
export interface Failure {
  /** `host:port` of the member. */
  readonly endpoint: string;
  /** False when it is certain that no byte of the request left for the member. */
  readonly sent: boolean;
  /** HTTP status; undefined when no whole answer came. */
  readonly status?: number | undefined;
  /** The server's words, or Node's. */
  readonly text: string;
  /** Node's error code. */
  readonly code?: string | undefined;
  /** What the server answered to a transaction that it refused. */
  readonly body?: unknown;
  /** `X-Consul-Index` of the answer. */
  readonly index?: number | undefined;
  /** The time was up. */
  readonly late?: boolean;
  /** The answer is not one of Consul. */
  readonly foreign?: boolean;
}

/** See {@link Failure}. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly endpoint: string;
  readonly sent: boolean;
  readonly status: number | undefined;
  readonly text: string;
  readonly code: string | undefined;
  readonly body: unknown;
  readonly index: number | undefined;
  readonly late: boolean;
  readonly foreign: boolean;

  constructor(failure: Failure) {
    const answered = failure.status === undefined ? '' : `HTTP status ${failure.status}: `;
    super(`${failure.endpoint}: ${answered}${failure.text}`);
    this.endpoint = failure.endpoint;
    this.sent = failure.sent;
    this.status = failure.status;
    this.text = failure.text;
    this.code = failure.code;
    this.body = failure.body;
    this.index = failure.index;
    this.late = failure.late ?? false;
    this.foreign = failure.foreign ?? false;
  }
}

interface Row extends Partial<Meaning> {
  /** Undefined: any. */
  readonly status?: number;
  readonly text?: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
}

const TOKEN_HINT =
  'give the token read and write on the whole root (key_prefix "ROOT/"), and write on sessions for locks';

/**
 * Consul tells errors by HTTP status and text. All of these are given before or instead of carrying a request out. Other
 * texts under status 500 are the leader's, or its connection's, and tell nothing about what became of a write.
 */
const ROWS: readonly Row[] = [
  {
    status: 403,
    text: /ACL not found/,
    code: ErrorCode.Unauthorized,
    message: 'Consul does not know the token',
    hint: 'give a token of this datacenter; a new one may take a moment until every server knows it',
  },
  {
    status: 403,
    code: ErrorCode.Unauthorized,
    message: 'Consul refuses this to the token',
    hint: TOKEN_HINT,
  },
  {
    status: 401,
    code: ErrorCode.Unauthorized,
    message: 'Consul refuses this to the token',
    hint: TOKEN_HINT,
  },
  {
    text: /Invalid Session TTL/,
    code: ErrorCode.Unsupported,
    message: 'the Consul servers take no session with so short a time to live',
    hint: 'ask for locks with a longer one: their session_ttl_min is above the usual 10 s',
  },
  {
    status: 413,
    code: ErrorCode.TooLarge,
    message: 'the request is larger than the Consul servers take',
    hint: 'they were started with a smaller limits.txn_max_req_len or kv_max_value_size than Consul’s default of 512 KiB',
  },
  {
    status: 429,
    code: ErrorCode.Unavailable,
    message: 'the Consul server takes no such requests now',
    passing: true,
  },
  {
    status: 500,
    text: /No cluster leader/,
    code: ErrorCode.Unavailable,
    message: 'the Consul servers have no leader now (No cluster leader)',
    passing: true,
  },
  {
    status: 500,
    text: /rpc error getting client/,
    code: ErrorCode.Unavailable,
    message: 'the Consul agent does not reach the leader',
    passing: true,
  },
];

export function meaningOf(failure: HttpFailure): Meaning {
  const { status, text, endpoint, sent, late } = failure;
  const row = ROWS.find((each) => (each.status ?? status) === status && (each.text?.test(text) ?? true));
  if (row !== undefined) return { refused: true, passing: false, ...row };
  if (failure.foreign || failure.code?.startsWith('HPE_'))
    return { ...NOT_CONSUL(endpoint), refused: false, passing: false };
  if (!sent) return { ...dialFailure(failure), refused: true, passing: true };
  if (late) return { ...dialFailures.silent(endpoint), refused: false, passing: true };
  if (status === undefined) {
    // TLS 1.3 tells a client only after its first request that its certificate was not accepted.
    if (/ALERT|alert/.test(`${failure.code} ${text}`))
      return { ...dialFailure(failure), refused: true, passing: false };
    const message = `${endpoint}: the connection broke: ${text}`;
    return { code: ErrorCode.Unavailable, message, refused: false, passing: true };
  }
  if (status === 400 && /HTTP request to an HTTPS server/.test(text))
    return { ...dialFailures.speaksTls(endpoint), refused: true, passing: false };
  if (status >= 500) {
    const message = `${endpoint} answered: ${text}`;
    return { code: ErrorCode.Unavailable, message, refused: false, passing: true };
  }
  return { ...NOT_CONSUL(endpoint), refused: true, passing: false };
}

const NOT_CONSUL = (endpoint: string): DialFailure => ({
  code: ErrorCode.Unavailable,
  message: `${endpoint}: what answers there is not Consul’s HTTP API`,
  hint: 'check host and port: another product may listen there',
  retryable: false,
});

/** Why no connection came about, by the codes of Node and OpenSSL. */
function dialFailure({ code = '', text, endpoint, late }: HttpFailure): DialFailure {
  if (late) return dialFailures.silent(endpoint);
  if (code === 'ECONNREFUSED') return dialFailures.refused(endpoint);
  if (/ENOTFOUND|EAI_AGAIN/.test(code)) return dialFailures.unresolved(endpoint);
  if (/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT/.test(code)) return dialFailures.unreachable(endpoint);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return dialFailures.otherName(endpoint);
  if (/ALERT|alert/.test(`${code} ${text}`)) return dialFailures.clientRefused(endpoint);
  if (/CERT|SELF_SIGNED|UNABLE_TO/.test(code)) return dialFailures.unknownAuthority(endpoint);
  if (/WRONG_VERSION|PACKET_LENGTH|EPROTO|ERR_SSL/.test(code) || /before secure TLS/.test(text))
    return dialFailures.noTls(endpoint);
  return dialFailures.other(endpoint, text);
}

export const FAILURES: Failures<HttpFailure> = {
  product: 'Consul',
  isFailure: (error) => error instanceof HttpFailure,
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

/** Unauthorized: keys are there, or may be, that the token may not read. */
export function hidden({ store }: Pick<CallContext, 'store'>, path: string): TopologyError {
  const message = 'the token may not read this: Consul leaves it out as if it were not there';
  return new TopologyError(ErrorCode.Unauthorized, message, { store, path, hint: TOKEN_HINT });
}

export function denied({ store }: Pick<CallContext, 'store'>, path: string): TopologyError {
  const message = 'Consul refuses this to the token';
  return new TopologyError(ErrorCode.Unauthorized, message, { store, path, hint: TOKEN_HINT });
}
