import { withoutSecrets } from '../topo/address.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/** Parsed flags, by name. */
export type Flags = Readonly<Record<string, unknown>>;

/** Flags that may be given several times. */
export const REPEATABLE: ReadonlySet<string> = new Set([
  'from-cell',
  'to-cell',
  'cell-address',
  'expect',
  'ignore',
  'matrix',
  'old',
  'paths',
  'accept-loss',
  'skip-unreadable',
  'serving',
]);
/** Words may be empty, flags may not. `_` holds the words that no command names. */
const WORDS: ReadonlySet<string> = new Set([
  '_',
  '$0',
  '--',
  'address',
  'path',
  'pattern',
  'paths',
  'source',
  'destination',
  'file',
  'folder',
]);

/** A setTimeout longer than this fires at once. */
const MAX_TIMEOUT_SECONDS = 86_400;

const NUMBERS: Readonly<Record<string, { is: (value: number) => boolean; rule: string }>> = {
  concurrency: { is: isCount, rule: 'a whole number, 1 or more' },
  keep: { is: isCount, rule: 'a whole number, 1 or more' },
  limit: { is: isCount, rule: 'a whole number, 1 or more' },
  'max-delete': {
    is: (value) => Number.isSafeInteger(value) && value >= 0,
    rule: 'a whole number, 0 or more',
  },
  rate: { is: (value) => value > 0, rule: 'a number above 0' },
  depth: { is: isCount, rule: 'a whole number, 1 or more' },
  larger: {
    is: (value) => Number.isSafeInteger(value) && value >= 0,
    rule: 'a whole number of bytes, 0 or more',
  },
  timeout: {
    is: (value) => value > 0 && value <= MAX_TIMEOUT_SECONDS,
    rule: `a number of seconds above 0, at most ${MAX_TIMEOUT_SECONDS}`,
  },
};

/** Refuses what yargs lets through: words too many, flags given twice, empty values, numbers out of range. Usage. */
export function checkFlags(flags: Flags, words: readonly unknown[]): void {
  if (words.length > 0) throw usage(`unexpected word ${shown(words[0])}`);
  for (const [name, value] of Object.entries(flags)) {
    const isWord = WORDS.has(name);
    if (Array.isArray(value) && name !== '_' && name !== '--' && !REPEATABLE.has(name))
      throw usage(`${isWord ? name : `--${name}`} is given twice`);
    if (!isWord && [value].flat().includes('')) throw usage(`--${name} needs a value`);
    if (value !== undefined) checkNumber(name, value, `--${name}`);
  }
}

/** Refuses a number out of the range that its flag has. Usage; `named` says where it was given. */
export function checkNumber(name: string, value: unknown, named: string): void {
  const number = NUMBERS[name];
  if (number !== undefined && !number.is(Number(value))) throw usage(`${named} must be ${number.rule}`);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

/** A string flag, undefined when absent. */
export function text(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return value === undefined ? undefined : String(value);
}

/** A repeatable string flag. */
export function texts(flags: Flags, name: string): string[] {
  const value = flags[name];
  return value === undefined ? [] : [value].flat().map(String);
}

/** Whether a word is meant as an address, and not as a path. */
export function looksLikeAddress(word: string): boolean {
  return /^(\w+:\/\/|file:|memory:|zookeeper:)/.test(word);
}

/** An error about the command line. */
export function usage(message: string, hint = 'see --help'): TopologyError {
  return new TopologyError(ErrorCode.Usage, message, { hint });
}

/** A word of the command line for messages: it may be an address with a password in it. */
export function shown(word: unknown): string {
  return withoutSecrets(String(word));
}
