import { cutShort, HttpFailure } from '../../http/failure.js';
import type { CallContext } from '../../topo/calls.js';
import type { DialFailure } from '../../topo/dial-failures.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { Failures, Meaning } from '../../topo/member-failures.js';

export { changed, noDirectory, noRecord, recordExists } from '../../topo/refusals.js';

interface Row extends Partial<Meaning> {
  /** Undefined: any. */
  readonly status?: number;
  readonly text?: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
}

const TOKEN_HINT =
  'give the token read and write on the whole root (key_prefix "ROOT/"), and write on sessions for locks';

/** What a server says to a token that it does not know. */
export const UNKNOWN_TOKEN = /ACL not found/;

/**
 * Consul tells errors by HTTP status and text. All of these are given before or instead of carrying a request out. Other
 * texts under status 500 are the leader's, or its connection's, and tell nothing about what became of a write.
 */
const ROWS: readonly Row[] = [
  {
    status: 403,
    text: UNKNOWN_TOKEN,
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

function meaningOf(failure: HttpFailure): Meaning {
  const { status = 0, text, endpoint } = failure;
  const row = ROWS.find((each) => (each.status ?? status) === status && (each.text?.test(text) ?? true));
  if (row !== undefined) {
    const retryable = failure.momentary ? { retryable: true } : {};
    return { refused: true, passing: failure.momentary, ...row, ...retryable };
  }
  if (failure.foreign || failure.code?.startsWith('HPE_'))
    return { ...NOT_CONSUL(endpoint), refused: false, passing: false };
  const cut = cutShort(failure);
  if (cut !== undefined) return cut;
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

export const FAILURES: Failures<HttpFailure> = {
  product: 'Consul',
  isFailure: (error) => error instanceof HttpFailure,
  meaningOf,
};

/** Unauthorized: keys are there, or may be, that the token may not read. */
export function hidden({ store }: Pick<CallContext, 'store'>, path: string): TopologyError {
  const message = 'the token may not read this: Consul leaves it out as if it were not there';
  return new TopologyError(ErrorCode.Unauthorized, message, { store, path, hint: TOKEN_HINT });
}

export function denied({ store }: Pick<CallContext, 'store'>, path: string): TopologyError {
  const message = 'Consul refuses this to the token';
  return new TopologyError(ErrorCode.Unauthorized, message, { store, path, hint: TOKEN_HINT });
}
