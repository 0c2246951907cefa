import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { checkCellName } from '../topo/names.js';

/** {@link checkCellName}, for a cell or an alias to be, with what to do. */
export function checkNewName(name: string): void {
  try {
    checkCellName(name);
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.InvalidPath)) throw error;
    throw new TopologyError(error.code, error.message, {
      hint: 'take another name, of letters, digits and . _ -',
      cause: error,
    });
  }
}
