import { errnoText } from '../topo/errno.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/** Does something with a file of a tree. Unavailable, with the reason, when it cannot be done. */
export async function inTree<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TopologyError) throw error;
    throw new TopologyError(ErrorCode.Unavailable, `${file} cannot be read or written: ${errnoText(error)}`, {
      hint: 'check its name, its rights, and the room on the disk, or name a place elsewhere',
      retryable: false,
      cause: error,
    });
  }
}
