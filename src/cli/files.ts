import { readFileSync, writeFileSync } from 'node:fs';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { usage } from './flags.js';

/** A secret that a file holds, without the end of its line. Usage when it is empty or cannot be read. */
export function secretFile(file: string): string {
  const secret = readFlagFile(file)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (secret === '') throw usage(`the file ${file} is empty`);
  return secret;
}

/** A file that a setting names. Usage when it cannot be read. */
export function readFlagFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw fileError(file, 'read', error);
  }
}

/** Writes a file that a word of the command line names. Usage when it cannot be written. */
export function writeFlagFile(file: string, bytes: Uint8Array): void {
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw fileError(file, 'written', error);
  }
}

/** Writes a file that is not there yet, for the user alone: it may hold records. Usage when it is there or cannot be written. */
export function writeNewFile(file: string, content: string): void {
  try {
    writeFileSync(file, content, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw fileError(file, 'written', error);
  }
}

function fileError(file: string, done: string, error: unknown): TopologyError {
  const code = (error as NodeJS.ErrnoException).code ?? 'error';
  const hint = code === 'EEXIST' ? 'give the name of a new file' : 'check its name and permissions';
  return new TopologyError(ErrorCode.Usage, `the file ${file} cannot be ${done}: ${code}`, {
    hint,
    cause: error,
  });
}
