import { KINDS, type Kind } from '../topo/kinds.js';
import { compareBytewise } from '../topo/paths.js';

/**
 * What becomes of one path: `create` and `update` write the source's bytes, `rewrite` writes a CellInfo with the destination's
 * address, `transcode` a record that one of the stores keeps in another form, `delete` removes what only the destination has. `same`, `skip`
 * (with a reason) and `extra` (only the destination has it, and keeps it) change nothing.
 */
export type Action = 'create' | 'update' | 'rewrite' | 'transcode' | 'delete' | 'same' | 'skip' | 'extra';

/** Actions that change the destination. */
export type WriteAction = 'create' | 'update' | 'rewrite' | 'transcode' | 'delete';

/** One path of a plan. Nothing of it is done yet. */
export interface Entry {
  readonly action: Action;
  readonly path: string;
  readonly kind: Kind;
  /** What the destination is to hold. Empty where nothing is written. */
  readonly bytes: Uint8Array;
  /** Version of the source's record, without its store. Undefined: it has none. */
  readonly source: string | undefined;
  /** Version of the destination's record, without its store: the state that a write replaces. Undefined: it has none. */
  readonly destination: string | undefined;
  /** Why nothing is written; empty where something is, and for `same`. */
  readonly reason: string;
}

/** An entry that changes the destination. */
export interface WriteEntry extends Entry {
  readonly action: WriteAction;
}

/** Actions that change the destination. */
export const WRITES: ReadonlySet<Action> = new Set<WriteAction>([
  'create',
  'update',
  'rewrite',
  'transcode',
  'delete',
]);

/** Those that delete there. */
export const DELETES: ReadonlySet<WriteAction> = new Set<WriteAction>(['delete']);

/**
 * Whether a record is deleted after all others: nobody is to find shards without their keyspace, and the retired `zookeeper`, where these are in its
 * znode, keeps it until they are gone.
 */
export function goesLast(kind: Kind): boolean {
  return kind === 'Keyspace';
}

/** Whether an entry changes the destination. */
export function isWrite(entry: Entry): entry is WriteEntry {
  return WRITES.has(entry.action);
}

const ACTIONS: readonly Action[] = [
  'create',
  'update',
  'rewrite',
  'transcode',
  'delete',
  'same',
  'skip',
  'extra',
];
const KIND_NAMES: readonly Kind[] = [
  ...new Set<Kind>([...KINDS.map(({ kind }) => kind), 'Ephemeral', 'Unknown']),
];
const ACTION_NUMBERS = numbered(ACTIONS);
const KIND_NUMBERS = numbered(KIND_NAMES);
const CHUNK_BYTES = 1 << 20;
/** Words of four bytes before the texts and the bytes of an entry: action, kind, then the length of each in this order. */
const HEAD = { action: 0, kind: 1, path: 2, source: 3, destination: 4, reason: 5, bytes: 6 } as const;
const HEAD_BYTES = 28;
const ABSENT = 0xffffffff;

/** A buffer of entries, of which each begins at a word. */
interface Chunk {
  readonly bytes: Buffer;
  readonly words: Uint32Array;
}

/**
 * Entries in the order in which they were added, packed into a few large buffers: a million of them take little more than
 * their own bytes, and nothing that the garbage collector has to look at.
 */
export class EntryList implements Iterable<Entry> {
  readonly #chunks: Chunk[] = [];
  /** Chunk and offset of each entry. */
  readonly #places: number[] = [];
  #used = CHUNK_BYTES;

  get length(): number {
    return this.#places.length;
  }

  push(entry: Entry): void {
    const { path, source, destination, reason, bytes } = entry;
    // One text, since a call for each would cost more than all else that is done here.
    const texts = path + (source ?? '') + (destination ?? '') + reason;
    // No character of a JavaScript string takes more than three bytes of UTF-8.
    const { bytes: chunk, words } = this.#room(HEAD_BYTES + 3 * texts.length + bytes.byteLength);
    const at = this.#used;
    const textBytes = chunk.write(texts, at + HEAD_BYTES);
    // Where each character is one byte, lengths need not be counted.
    const lengthOf = textBytes === texts.length ? characters : Buffer.byteLength;
    const head = at >>> 2;
    this.#places.push((this.#chunks.length - 1) * 2 ** 32 + at);
    words[head + HEAD.action] = ACTION_NUMBERS.get(entry.action) ?? 0;
    words[head + HEAD.kind] = KIND_NUMBERS.get(entry.kind) ?? 0;
    words[head + HEAD.path] = lengthOf(path);
    words[head + HEAD.source] = source === undefined ? ABSENT : lengthOf(source);
    words[head + HEAD.destination] = destination === undefined ? ABSENT : lengthOf(destination);
    words[head + HEAD.reason] = lengthOf(reason);
    words[head + HEAD.bytes] = bytes.byteLength;
    chunk.set(bytes, at + HEAD_BYTES + textBytes);
    this.#used = at + wholeWords(HEAD_BYTES + textBytes + bytes.byteLength);
  }

  /** The entry of a path; undefined: there is none. Only where all were added in byte order of their paths. */
  find(path: string): Entry | undefined {
    let [from, to] = [0, this.#places.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const entry = this.#read(middle);
      const order = compareBytewise(entry.path, path);
      if (order === 0) return entry;
      if (order < 0) from = middle + 1;
      else to = middle;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let i = 0; i < this.#places.length; i++) yield this.#read(i);
  }

  /** The entries of some actions; the others are passed over without being read. */
  *only(actions: ReadonlySet<Action>): Generator<Entry> {
    for (let i = 0; i < this.#places.length; i++) if (actions.has(this.#action(i))) yield this.#read(i);
  }

  #room(total: number): Chunk {
    const last = this.#chunks.at(-1);
    if (last !== undefined && this.#used + total <= last.bytes.byteLength) return last;
    const bytes = Buffer.allocUnsafeSlow(wholeWords(Math.max(CHUNK_BYTES, total)));
    const made = { bytes, words: new Uint32Array(bytes.buffer) };
    this.#chunks.push(made);
    this.#used = 0;
    return made;
  }

  #action(index: number): Action {
    const place = this.#places[index] ?? 0;
    const words = this.#chunks[Math.floor(place / 2 ** 32)]?.words;
    return ACTIONS[words?.[((place % 2 ** 32) >>> 2) + HEAD.action] ?? 0] ?? 'skip';
  }

  #read(index: number): Entry {
    const place = this.#places[index] ?? 0;
    const { bytes: chunk, words } = this.#chunks[Math.floor(place / 2 ** 32)] ?? NO_CHUNK;
    const head = (place % 2 ** 32) >>> 2;
    const from = head * 4 + HEAD_BYTES;
    const source = from + (words[head + HEAD.path] ?? 0);
    const destination = source + lengthAt(words, head + HEAD.source);
    const reason = destination + lengthAt(words, head + HEAD.destination);
    const bytes = reason + (words[head + HEAD.reason] ?? 0);
    const texts = new Texts(chunk, from, bytes);
    return {
      action: this.#action(index),
      kind: KIND_NAMES[words[head + HEAD.kind] ?? 0] ?? 'Unknown',
      path: texts.between(from, source),
      source: words[head + HEAD.source] === ABSENT ? undefined : texts.between(source, destination),
      destination: words[head + HEAD.destination] === ABSENT ? undefined : texts.between(destination, reason),
      reason: texts.between(reason, bytes),
      bytes: chunk.subarray(bytes, bytes + (words[head + HEAD.bytes] ?? 0)),
    };
  }
}

/** The texts of an entry, which are read as one, and taken apart where each character of them is one byte. */
class Texts {
  readonly #chunk: Buffer;
  readonly #from: number;
  readonly #all: string;
  readonly #isPlain: boolean;

  constructor(chunk: Buffer, from: number, to: number) {
    this.#chunk = chunk;
    this.#from = from;
    this.#all = chunk.toString('utf8', from, to);
    this.#isPlain = this.#all.length === to - from;
  }

  between(from: number, to: number): string {
    if (from === to) return '';
    if (this.#isPlain) return this.#all.slice(from - this.#from, to - this.#from);
    return this.#chunk.toString('utf8', from, to);
  }
}

/** Bytes of a text that may be absent. */
function lengthAt(words: Uint32Array, place: number): number {
  const length = words[place] ?? 0;
  return length === ABSENT ? 0 : length;
}

const NO_CHUNK: Chunk = { bytes: Buffer.alloc(HEAD_BYTES), words: new Uint32Array(HEAD_BYTES / 4) };

function numbered<T>(names: readonly T[]): ReadonlyMap<T, number> {
  return new Map(names.map((name, number) => [name, number]));
}

function characters(text: string): number {
  return text.length;
}

function wholeWords(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
