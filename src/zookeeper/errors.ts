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

/** In words, what a failure to connect to a server means. */
export function connectProblem(error: Error): string {
  switch (systemCode(error)) {
    case 'ECONNREFUSED':
      return 'nobody listens there';
    case 'ENOTFOUND':
      return 'the name does not resolve';
    case undefined:
      return error.message;
    default:
      return `${systemCode(error)}`;
  }
}

/** Whether trying again soon is pointless: a mistake in the address, or nobody there. */
export function isHopeless(error: unknown): boolean {
  if (!(error instanceof ZooKeeperError)) return false;
  const code = systemCode(error.cause);
  return error.code === ZkCode.MarshallingError || code === 'ECONNREFUSED' || code === 'ENOTFOUND';
}
