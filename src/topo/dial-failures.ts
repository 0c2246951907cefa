import { ErrorCode } from './errors.js';
import type { Meaning } from './member-failures.js';

/** Why no connection to a server came about, in the same words for every store. `endpoint`: `host:port`. */

export type DialFailure = Pick<Meaning, 'code' | 'message' | 'hint' | 'retryable'>;

/** A server that was spoken to with TLS and does not speak it. */
export const NO_TLS = {
  what: 'the server does not speak TLS there',
  hint: 'write http:// before the server, or leave TLS out',
} as const;

export const dialFailures = {
  refused: (endpoint: string) => down(endpoint, 'connection refused'),
  unresolved: (endpoint: string) => down(endpoint, 'the name does not resolve'),
  unreachable: (endpoint: string) => down(endpoint, 'the host cannot be reached'),
  silent: (endpoint: string): DialFailure => ({
    code: ErrorCode.Timeout,
    message: `${endpoint}: no answer`,
  }),
  otherName: (endpoint: string) =>
    wrong(
      endpoint,
      'the server’s certificate is for another name',
      'use the name in the certificate, or say which name it has',
    ),
  clientRefused: (endpoint: string): DialFailure => ({
    ...wrong(
      endpoint,
      'the server does not accept the client’s certificate, or wants one',
      'give a client certificate and key that the server trusts',
    ),
    code: ErrorCode.Unauthorized,
  }),
  unknownAuthority: (endpoint: string) =>
    wrong(
      endpoint,
      'the server’s certificate is not signed by the given authority',
      'give the authority’s certificate as CA',
    ),
  noTls: (endpoint: string) => wrong(endpoint, NO_TLS.what, NO_TLS.hint),
  speaksTls: (endpoint: string) =>
    wrong(
      endpoint,
      'the server speaks TLS',
      'write https:// before the server, and give the CA if it is not a public one',
    ),
  other: (endpoint: string, text: string) => down(endpoint, `no connection: ${text}`),
} as const;

/** What passes by itself, or with the server's return. */
function down(endpoint: string, why: string): DialFailure {
  return { code: ErrorCode.Unavailable, message: `${endpoint}: ${why}` };
}

/** What stays until somebody changes how to connect. */
function wrong(endpoint: string, why: string, hint: string): DialFailure {
  return { ...down(endpoint, why), hint, retryable: false };
}
