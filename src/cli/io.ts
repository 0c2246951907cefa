import Table from 'cli-table3';
import pc from 'picocolors';

/** Where a command writes, and what it may assume of the place. */
export interface Io {
  /** Results. */
  out(text: string): void;
  /** Raw bytes of a record. */
  outBytes(bytes: Uint8Array): void;
  /** Progress, notices and errors. */
  err(text: string): void;
  /** Whether progress can be drawn. */
  readonly errIsTerminal: boolean;
  /** For results. */
  readonly colors: ReturnType<typeof pc.createColors>;
  /** For progress, notices and errors. */
  readonly errColors: ReturnType<typeof pc.createColors>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The process's own streams. Each one's colours follow whether it is a terminal, NO_COLOR and FORCE_COLOR. */
export function processIo(): Io {
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    outBytes: (bytes) => void process.stdout.write(bytes),
    err: (text) => void process.stderr.write(`${text}\n`),
    errIsTerminal: process.stderr.isTTY === true,
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

/** JSON for programs: two-space indent, int64 as strings, maps as objects, bytes as base64. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => plain(item), 2);
}

function plain(item: unknown): unknown {
  if (typeof item === 'bigint') return item.toString();
  if (item instanceof Map) return Object.fromEntries(item);
  if (item instanceof Uint8Array) return Buffer.from(item).toString('base64');
  return item;
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
