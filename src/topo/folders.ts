import { mkdir } from 'node:fs/promises';
import { isErrno } from './errno.js';

/** Makes a folder, readable by its owner alone, and what is missing above it, unless it is there. */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    // Node says so of a file system that is read-only, too; without what is above it the system itself is asked.
    await mkdir(folder, { mode: 0o700 });
  }
}
