import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from './errno.js';

/**
 * Makes a folder, readable by its owner alone, and what is missing above it, unless it is there. Node's own way says ENOENT of a file system that
 * is read-only, and never ends where nothing can be made, as in /proc.
 */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await makeOne(folder);
  } catch (error) {
    const above = dirname(folder);
    if (!isErrno(error, 'ENOENT') || above === folder) throw error;
    await makeFolders(above);
    await makeOne(folder);
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    const isThere = isErrno(error, 'EEXIST') && (await stat(folder)).isDirectory();
    if (!isThere) throw error;
  }
}
