import { cutShort, HttpFailure } from '../../http/failure.js';
import type { DialFailure } from '../../topo/dial-failures.js';
import { ErrorCode } from '../../topo/errors.js';
import type { Failures, Meaning } from '../../topo/member-failures.js';

export { changed, noDirectory, noRecord, recordExists } from '../../topo/refusals.js';

const LOGIN_HINT = 'give a user and password that may read and write the root, or that of guest more rights';

/** Where the API is switched off, the server knows no such path. */
const NO_V2 = /404 page not found/;

export function meaningOf(failure: HttpFailure): Meaning {
  const { status = 0, text, endpoint } = failure;
  if (failure.foreign || failure.code?.startsWith('HPE_'))
    return { ...NOT_ETCD(endpoint), refused: false, passing: false };
  const cut = cutShort(failure);
  if (cut !== undefined) return cut;
  if (status === 401) {
    const message = 'etcd refuses this to the user, or does not know user and password';
    return { code: ErrorCode.Unauthorized, message, hint: LOGIN_HINT, refused: true, passing: false };
  }
  if (status === 413 || /request is too large/i.test(text)) {
    const message = 'the request is larger than the etcd servers take';
    return { code: ErrorCode.TooLarge, message, refused: true, passing: false };
  }
  if (status >= 500) {
    // The cluster may have agreed on it before the server gave up waiting.
    const message = `${endpoint} answered: ${text}`;
    return { code: ErrorCode.Unavailable, message, refused: false, passing: true };
  }
  if (status === 404 && NO_V2.test(text)) return { ...WITHOUT_V2(endpoint), refused: true, passing: false };
  return { ...NOT_ETCD(endpoint), refused: true, passing: false };
}

const WITHOUT_V2 = (endpoint: string): DialFailure => ({
  code: ErrorCode.Unavailable,
  message: `${endpoint}: this server does not serve etcd’s v2 API`,
  hint: 'etcd 3.3 and 3.4 serve it when they are started with --enable-v2, newer ones not at all; a topology of Vitess 2.1 and newer is etcd2://',
  retryable: false,
});

const NOT_ETCD = (endpoint: string): DialFailure => ({
  code: ErrorCode.Unavailable,
  message: `${endpoint}: what answers there is not etcd’s v2 API`,
  hint: 'check host and port: another product may listen there',
  retryable: false,
});

export const FAILURES: Failures<HttpFailure> = {
  product: 'etcd',
  isFailure: (error) => error instanceof HttpFailure,
  meaningOf,
};
