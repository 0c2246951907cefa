import Table from 'cli-table3';
import pc from 'picocolors';
import { askPerson, readAll } from './input.js';

/** Where a command writes, and what it may assume of the place. */
export interface Io {
  /** Results. */
  out(text: string): void;
  /** Raw bytes of a record. */
  outBytes(bytes: Uint8Array): void;
  /** Progress, notices and errors. */
  err(text: string): void;
  /** Whether results are read by a person; otherwise they go to a file or a program. */
  readonly outIsTerminal: boolean;
  /** Everything that is piped in. Usage when a person sits there instead; Interrupted. */
  input(signal: AbortSignal): Promise<Uint8Array>;
  /** Asks the person who sits there; absent: nobody does. Interrupted. */
  readonly ask?: ((question: string, signal: AbortSignal) => Promise<string>) | undefined;
  /** Whether progress can be drawn. */
  readonly errIsTerminal: boolean;
  /** Where it is drawn; undefined: nowhere. */
  readonly screen: NodeJS.WritableStream | undefined;
  /** For results. */
  readonly colors: ReturnType<typeof pc.createColors>;
  /** For progress, notices and errors. */
  readonly errColors: ReturnType<typeof pc.createColors>;
  readonly env: Env;
}

/** Variables of the environment, and secrets of a migration file under the names of theirs. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The process's own streams. Each one's colours follow whether it is a terminal, NO_COLOR and FORCE_COLOR. */
export function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    outBytes: (bytes) => void process.stdout.write(bytes),
    err: (text) => void process.stderr.write(`${text}\n`),
    outIsTerminal: process.stdout.isTTY === true,
    input: (signal) => readAll(process.stdin, signal),
    ask: process.stdin.isTTY === true && process.stderr.isTTY === true ? askPerson : undefined,
    errIsTerminal: process.stderr.isTTY === true,
    screen: process.stderr.isTTY === true ? process.stderr : undefined,
    colors: colorsFor(process.stdout),
    errColors: colorsFor(process.stderr),
    env: process.env,
  };
}

function colorsFor({ isTTY }: { readonly isTTY?: boolean }): ReturnType<typeof pc.createColors> {
  const { NO_COLOR: off, FORCE_COLOR: forced, TERM } = process.env;
  const isForced = forced !== undefined && forced !== '' && forced !== '0';
  return pc.createColors((off ?? '') === '' && (isForced || (isTTY === true && TERM !== 'dumb')));
}

/** Rows as aligned columns under a dim head, without lines. Numbers align right; columns in which all are 0 are left out. */
export function table(
  io: Io,
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const shown = head.flatMap((_, column) => (rows.some((row) => row[column] !== 0) ? [column] : []));
  const made = new Table({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    head: shown.map((column) => io.colors.dim(head[column] ?? '')),
    colAligns: shown.map((column) => (typeof rows[0]?.[column] === 'number' ? 'right' : 'left')),
  });
  made.push(
    ...rows.map((row) => shown.map((column) => (row[column] === 0 ? '' : String(row[column] ?? '')))),
  );
  return made
    .toString()
    .split('\n')
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n');
}

const NO_LINES = {
  ...{
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
  },
  ...{
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  },
};

/** Lines written many at a time: a write for each of 100,000 takes longer than reading them did. */
export function outLines(io: Io, lines: Iterable<string>): void {
  let some: string[] = [];
  for (const line of lines) {
    some.push(line);
    if (some.length < LINES_AT_A_TIME) continue;
    io.out(some.join('\n'));
    some = [];
  }
  if (some.length > 0) io.out(some.join('\n'));
}

const LINES_AT_A_TIME = 1_000;

/** JSON for programs: two-space indent, int64 as strings, maps as objects, bytes as base64. */
export function json(value: unknown): string {
  return JSON.stringify(value, plain, 2);
}

/** {@link json} on one line, for streams of documents. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, plain);
}

/** A replacer of JSON.stringify. It looks at what the holder has: a Buffer has been turned into an object of numbers by then. */
function plain(this: unknown, key: string, item: unknown): unknown {
  const own: unknown = Reflect.get(Object(this), key);
  if (own instanceof Uint8Array) return Buffer.from(own).toString('base64');
  if (typeof item === 'bigint') return item.toString();
  return item instanceof Map ? Object.fromEntries(item) : item;
}

/** `1 record`, `2 records`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

/** `512 B`, `12.3 kB`, `4.5 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
