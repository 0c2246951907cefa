import type { CallContext } from './calls.js';
import { ErrorCode, TopologyError } from './errors.js';

/** What a store answers when a record or directory is not in the state that a call asks for. */

type Where = Pick<CallContext, 'store'>;

/** NoNode for a record. */
export function noRecord({ store }: Where, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such record', { path, store });
}

/** NoNode for a directory. */
export function noDirectory({ store }: Where, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such directory', { path, store });
}

/** NodeExists for a record. */
export function recordExists({ store }: Where, path: string): TopologyError {
  return new TopologyError(ErrorCode.NodeExists, 'the record exists already', { path, store });
}

/** BadVersion for a record. */
export function changed({ store }: Where, path: string): TopologyError {
  const message = 'the record is not in the state that the version names';
  return new TopologyError(ErrorCode.BadVersion, message, { path, store });
}
