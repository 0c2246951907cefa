import { ZkCode, ZooKeeperError } from './client.js';

const NAMES = new Map<number, string>(Object.entries(ZkCode).map(([name, code]) => [code, name]));

/** Name of a code, or the number when it has none here. */
function codeName(code: ZkCode): string {
  return NAMES.get(code) ?? `error ${code}`;
}

/** An answer of the server that is no success. */
export function serverError(operation: string, code: ZkCode, path?: string, index?: number): ZooKeeperError {
  const where = path === undefined ? '' : ` ${path}`;
  const which = index === undefined ? '' : ` (operation ${index} of the multi)`;
  return new ZooKeeperError(code, `${operation}${where}${which}: ${codeName(code)}`, { path, index });
}

/** ConnectionLoss before anything was sent. */
export function connectionLoss(message: string, cause?: unknown): ZooKeeperError {
  return new ZooKeeperError(ZkCode.ConnectionLoss, message, { cause });
}

/** BadArguments, found before anything is sent. */
export function badArguments(message: string, path?: string): ZooKeeperError {
  return new ZooKeeperError(ZkCode.BadArguments, message, { path });
}

/** The `code` of an error of node:net or node:dns; of the first inner one when several addresses were tried. */
function systemCode(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return systemCode(error.errors[0]);
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Codes of Node and OpenSSL for what is wrong with TLS. None goes away by trying again. */
const TLS_PROBLEMS: readonly (readonly [codes: RegExp, problem: string])[] = [
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'the server’s certificate is for another name'],
  [/^CERT_(?:HAS_EXPIRED|NOT_YET_VALID)$/, 'the server’s certificate is not valid at this time'],
  [
    /^(?:UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|CERT_)/,
    'the server’s certificate is not signed by the given authority',
  ],
  [
    /^ERR_SSL_.*ALERT_.*(?:CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE|ACCESS_DENIED)/,
    'the server does not accept the client’s certificate, or wants one',
  ],
  [
    /^ERR_SSL_.*(?:PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL)/,
    'the server speaks no version of TLS that is safe',
  ],
  [
    /^(?:ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)|EPROTO)$/,
    'the server does not speak TLS there',
  ],
];

function tlsProblem(code: string | undefined): string | undefined {
  return code && TLS_PROBLEMS.find(([codes]) => codes.test(code))?.[1];
}

/** In words, what a failure to connect to a server means. */
export function connectProblem(error: Error): string {
  const code = systemCode(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'ENOTFOUND':
      return 'the name does not resolve';
    case undefined:
      return error.message;
    default:
      return tlsProblem(code) ?? code;
  }
}

/** Whether the other end cut the connection. */
export function isCut(error: Error): boolean {
  const code = systemCode(error);
  return code === 'ECONNRESET' || code === 'EPIPE';
}

/** Whether trying again soon is pointless: a mistake in the address or in TLS, or nobody there. */
export function isHopeless(error: unknown): boolean {
  if (!(error instanceof ZooKeeperError)) return false;
  const code = systemCode(error.cause);
  if (error.code === ZkCode.MarshallingError || tlsProblem(code) !== undefined) return true;
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND';
}
