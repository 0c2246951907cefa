import type { Entry } from '../looking/entries.js';
import type { Io } from './io.js';
import { printable } from './lists.js';

/** A line of a listing that is shown by its whole path. */
export interface NamedEntry extends Entry {
  readonly path: string;
}

/** Names as lines. */
export function nameLines(names: readonly string[]): string[] {
  return names.map(printable);
}

/** Names in detail: `d` for a directory, `e` for ephemeral, bytes and version of a record, the name. */
export function entryLines(io: Io, entries: readonly Entry[]): string[] {
  const sizes = entries.map(({ size }) => (size === undefined ? '-' : String(size)));
  const versions = entries.map(({ version = '-' }) => version);
  const [sizeWidth, versionWidth] = [sizes, versions].map((column) =>
    column.reduce((width, text) => Math.max(width, text.length), 0),
  );
  return entries.map(({ name, type, ephemeral }, index) => {
    const isDirectory = type === 'directory';
    const marks = `${isDirectory ? 'd' : '-'}${ephemeral ? 'e' : '-'}`;
    const size = sizes[index]?.padStart(sizeWidth ?? 0);
    const version = versions[index]?.padStart(versionWidth ?? 0);
    const shown = isDirectory ? `${io.colors.blue(printable(name))}/` : printable(name);
    return `${marks} ${size} ${version} ${shown}`;
  });
}
