import { closeSync, lstatSync, openSync, readlinkSync, readSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ErrorCode, TopologyError } from '../topo/errors.js';

const BUFFER_BYTES = 256 * 1024;
/** Far more than any line that is written: what has a longer one is another kind of file, or a device that has no end. */
const LONGEST_BYTES = 64 * 1024 * 1024;

/** The lines of a file with their numbers, from 1, without holding them all. Usage when it cannot be read, or has no lines. */
export function* linesOf(path: string): Generator<[number: number, line: string]> {
  const file = fileSystem(path, 'read', () => openSync(path, 'r'));
  try {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    let rest = Buffer.alloc(0);
    let number = 0;
    for (;;) {
      const length = fileSystem(path, 'read', () => readSync(file, buffer));
      if (length === 0) break;
      let data = Buffer.concat([rest, buffer.subarray(0, length)]);
      for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
        number += 1;
        yield [number, data.toString('utf8', 0, end)];
        data = data.subarray(end + 1);
      }
      rest = Buffer.from(data);
      if (rest.length > LONGEST_BYTES)
        throw new TopologyError(ErrorCode.Usage, `the file ${path} has no lines`, { hint: 'check the path' });
    }
    if (rest.length > 0) yield [number + 1, rest.toString('utf8')];
  } finally {
    closeSync(file);
  }
}

/**
 * Writes all of a text to an open file. A system call may write a part of it and call that a success, so the rest is tried, too.
 *
 * @throws TopologyError Guard when the disk is full, or fails: nothing goes on that relies on the file
 */
export function writeText(path: string, file: number, text: string): void {
  whileKept(path, 'written', () => writeFileSync(file, text));
}

/** Does something with a file that work under way relies on. Guard when the disk is full, or fails. */
export function whileKept<T>(path: string, verb: 'read' | 'written', work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new TopologyError(ErrorCode.Guard, `the file ${path} cannot be ${verb}: ${reasonOf(error)}`, {
      hint: 'make room on the disk, or give a file on another one',
      cause: error,
    });
  }
}

/** What a name stands for behind symbolic links: what is put in the place of a file would replace the link. Usage when it can be no name. */
export function behindLinks(path: string): string {
  return fileSystem(path, 'read', () => followed(path));
}

function followed(path: string): string {
  for (let name = path, links = 0; ; links++) {
    const found = lstatSync(name, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() !== true || links === MOST_LINKS) return name;
    name = resolve(dirname(name), readlinkSync(name));
  }
}

/** As many as Linux follows. */
const MOST_LINKS = 40;

/** Whether something is there that is no file: a folder, a device, a pipe. Usage when the system does not tell. */
export function isNoFile(path: string): boolean {
  return fileSystem(path, 'read', () => statSync(path, { throwIfNoEntry: false }))?.isFile() === false;
}

/** Does something with a file. Usage, with the reason, when it cannot be done. */
export function fileSystem<T>(path: string, verb: 'read' | 'written', work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw notUsable(path, verb, error);
  }
}

/** Usage, with the reason why something cannot be done with a file. */
export function notUsable(path: string, verb: 'read' | 'written', error: unknown): TopologyError {
  return new TopologyError(ErrorCode.Usage, `the file ${path} cannot be ${verb}: ${reasonOf(error)}`, {
    hint: 'check the path and its rights',
    cause: error,
  });
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : String(error);
}
