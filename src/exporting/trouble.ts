import { ErrorCode, TopologyError } from '../topo/errors.js';

/** Does something with a file of a tree. Unavailable, with the reason, when it cannot be done. */
export async function inTree<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TopologyError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    throw new TopologyError(ErrorCode.Unavailable, `${file} cannot be read or written: ${code}`, {
      hint: 'check its name, its rights, and the room on the disk',
      retryable: false,
      cause: error,
    });
  }
}
