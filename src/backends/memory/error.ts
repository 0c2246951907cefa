import type { CallContext } from '../../topo/calls.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { Refusal } from './operation.js';

/**
 * The TopologyError of whatever a store threw: about the path of the call, or in a batch about the path and index of the
 * operation that failed.
 */
export function toTopologyError(
  { store }: Pick<CallContext, 'store'>,
  error: unknown,
  call: { readonly path: string | undefined; readonly pathOf: (key: string) => string },
): unknown {
  if (!(error instanceof Refusal)) return error;
  const { code, message, key, index } = error;
  const where = call.path === undefined ? { path: call.pathOf(key), index } : { path: call.path };
  const hint =
    code === ErrorCode.OutcomeUnknown
      ? 'read the record, and write it again if it has another value'
      : undefined;
  return new TopologyError(code, message, { ...where, store, hint, cause: error });
}

export function noDirectory(store: string, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such directory', { path, store });
}

export function noRecordAt(store: string, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'there is no such record', { path, store });
}
