import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isErrno } from '../../topo/errno.js';

/** What changes whenever somebody writes to a file or puts another in its place. */
export type Identity = Readonly<Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>>;

/** Something else than this module wrote to the file between a look at it and a write. */
export class Overtaken extends Error {}

/** A write failed so that nobody knows whether it will be seen. */
export class Unsettled extends Error {}

/** The one name of a file, absent or not, behind relative names and symbolic links. The folder must exist. */
export async function realName(file: string): Promise<string> {
  const full = resolve(file);
  try {
    return await realpath(full);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return join(await realpath(dirname(full)), basename(full));
  }
}

/** Undefined for a file that does not exist. */
export async function identify(file: string): Promise<Identity | undefined> {
  try {
    return await stat(file, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function sameIdentity(a: Identity | undefined, b: Identity | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.dev === b.dev
  );
}

/** A line, or what a file ends with when its last line has no line end. */
export interface Line {
  readonly bytes: Buffer;
  readonly ended: boolean;
  /** Its bytes, and the line end if there is one. */
  readonly whole: Buffer;
}

/** The lines of the first `size` bytes of a file, several at a time, read as they are asked for. */
export async function* readLines(handle: FileHandle, size: number): AsyncGenerator<Line[]> {
  let unfinished: Buffer[] = [];
  for (let position = 0; position < size; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    const lines: Line[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.subarray(0, bytesRead).indexOf(LINE_END, start);
      if (end < 0) break;
      const part = chunk.subarray(start, end + 1);
      const whole = unfinished.length === 0 ? part : Buffer.concat([...unfinished, part]);
      lines.push({ bytes: whole.subarray(0, -1), ended: true, whole });
      unfinished = [];
      start = end + 1;
    }
    if (start < bytesRead) unfinished.push(chunk.subarray(start, bytesRead));
    yield lines;
  }
  const rest = Buffer.concat(unfinished);
  if (rest.length > 0) yield [{ bytes: rest, ended: false, whole: rest }];
}

/**
 * Adds to the end of a file; on return the bytes are on the disk. Overtaken when the file is not the one that `expected`
 * and its first line say. Fails with nothing added, or with Unsettled.
 */
export async function append(
  file: string,
  expected: { readonly identity: Identity; readonly firstLine: Buffer },
  data: Buffer,
): Promise<Identity> {
  const handle = await open(file, constants.O_RDWR).catch((error: unknown) => {
    throw isErrno(error, 'ENOENT') ? new Overtaken() : error;
  });
  try {
    const found = await handle.stat({ bigint: true });
    // The first line tells apart what file times cannot: two files that took one another's place within one tick.
    const firstLine = Buffer.alloc(expected.firstLine.length);
    await handle.read(firstLine, 0, firstLine.length, 0);
    if (!sameIdentity(found, expected.identity) || !firstLine.equals(expected.firstLine))
      throw new Overtaken();
    const size = Number(found.size);
    try {
      await writeAll(handle, data, size);
      await handle.sync();
    } catch (error) {
      await handle
        .truncate(size)
        .then(() => handle.sync())
        .catch(() => {
          throw new Unsettled('', { cause: error });
        });
      throw error;
    }
    return await handle.stat({ bigint: true });
  } finally {
    await handle.close();
  }
}

/**
 * Puts a new file in the place of `file`: written beside it, on the disk before it is renamed, readable by its owner
 * alone. Nobody ever sees a part of it. Overtaken when `file` is no longer what `expected` says (undefined: absent).
 * Fails with `file` as it was, or with Unsettled.
 */
export async function replace(
  file: string,
  expected: Identity | undefined,
  lines: Iterable<Buffer>,
): Promise<Identity> {
  const temporary = `${file}.tmp`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await writeLines(handle, lines);
    await handle.sync();
    await handle.close();
    if (!sameIdentity(await identify(file), expected)) throw new Overtaken();
    await rename(temporary, file);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  try {
    await syncFolder(dirname(file));
    return await stat(file, { bigint: true });
  } catch (error) {
    throw new Unsettled('', { cause: error });
  }
}

const CHUNK_BYTES = 1024 * 1024;
const LINE_END = 0x0a;

async function writeLines(handle: FileHandle, lines: Iterable<Buffer>): Promise<void> {
  let position = 0;
  for (const data of lines) {
    await writeAll(handle, data, position);
    position += data.length;
  }
}

async function writeAll(handle: FileHandle, data: Buffer, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, position + done);
    done += bytesWritten;
  }
}

async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch (error) {
    // Where a folder cannot be opened as a file, the system offers no way to put it on the disk.
    if (isErrno(error, 'EISDIR', 'EPERM', 'EACCES')) return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'EPERM', 'ENOTSUP')) throw error;
  } finally {
    await handle.close();
  }
}
