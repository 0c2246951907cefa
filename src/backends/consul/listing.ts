import { Misunderstood, type Pair, toPair } from './answers.js';
import { decodeBody } from './body.js';

/**
 * The keys of a listing, with their values, in groups. They are read out of the answer as they are asked for, and the answer's pieces
 * are forgotten one by one: all keys at once would take more memory than the answer.
 *
 * @param answer Consul's JSON in pieces as they came; empty afterwards
 */
export function* readListing(answer: Buffer[]): Generator<Pair[], void> {
  if (answer.length === 0) return;
  const reader = new ListingReader();
  answer.reverse();
  for (let piece = answer.pop(); piece !== undefined; piece = answer.pop()) {
    const pairs = reader.read(piece);
    if (pairs.length > 0) yield pairs;
  }
  reader.finish();
}

/** All keys of a listing, at once. */
export function readAll(answer: readonly Buffer[]): Pair[] {
  if (answer.length === 0) return [];
  const reader = new ListingReader();
  const pairs = answer.flatMap((piece) => reader.read(piece));
  reader.finish();
  return pairs;
}

const QUOTE = '"'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
const OPEN_LIST = '['.charCodeAt(0);
const CLOSE_LIST = ']'.charCodeAt(0);
const OPEN = '{'.charCodeAt(0);
const CLOSE = '}'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);
/** The first code beyond ASCII. */
const NOT_ASCII = 0x80;

/** What stands before the fields of a key that no session holds, in the order in which every version of Consul writes them. */
const BEFORE = {
  lockIndex: Buffer.from('{"LockIndex":'),
  key: Buffer.from(',"Key":"'),
  flags: Buffer.from('","Flags":'),
  value: Buffer.from(',"Value":"'),
  createIndex: Buffer.from('","CreateIndex":'),
  modifyIndex: Buffer.from(',"ModifyIndex":'),
};
/** Digits of a number that JavaScript surely holds. */
const SAFE_DIGITS = 15;

/** Reads a listing whose bytes come in pieces. */
class ListingReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** What stands before the next key: the bracket, later a comma. */
  #before = OPEN_LIST;
  #ended = false;

  /** The keys that are whole with this piece. */
  read(piece: Buffer): Pair[] {
    const rest = this.#bytes.subarray(this.#at);
    this.#bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    this.#at = 0;
    const pairs: Pair[] = [];
    for (let pair = this.#next(); pair !== undefined; pair = this.#next()) pairs.push(pair);
    return pairs;
  }

  /** To be called after the last piece. */
  finish(): void {
    if (!this.#ended) throw new Misunderstood('no whole listing');
  }

  /** The next key; undefined when it is not whole, or there is none. */
  #next(): Pair | undefined {
    const start = this.#at;
    if (this.#ended || start === this.#bytes.length) return undefined;
    const before = this.#bytes[start];
    if (before === CLOSE_LIST && this.#before === COMMA) {
      this.#ended = true;
      return undefined;
    }
    if (before !== this.#before) throw new Misunderstood('no listing');
    this.#at = start + 1;
    let pair = this.#plain();
    if (pair === undefined) {
      this.#at = start + 1;
      pair = this.#any();
    }
    if (pair === undefined) this.#at = start;
    else this.#before = COMMA;
    return pair;
  }

  /** A key as nearly all are written; undefined: it is another one, or not whole. JSON's own reader takes several times as long. */
  #plain(): Pair | undefined {
    if (!this.#passes(BEFORE.lockIndex)) return undefined;
    const lockIndex = this.#number();
    if (!this.#passes(BEFORE.key)) return undefined;
    const key = this.#key();
    if (!this.#passes(BEFORE.flags)) return undefined;
    const flags = this.#number();
    if (!this.#passes(BEFORE.value)) return undefined;
    const value = this.#base64();
    if (!this.#passes(BEFORE.createIndex)) return undefined;
    const createIndex = this.#number();
    if (!this.#passes(BEFORE.modifyIndex)) return undefined;
    const modifyIndex = this.#number();
    if (this.#bytes[this.#at] !== CLOSE) return undefined;
    this.#at += 1;
    return {
      key,
      value: Buffer.from(value, 'base64'),
      flags: String(flags),
      session: '',
      modifyIndex,
      createIndex,
      lockIndex,
    };
  }

  /** Any key; undefined: it is not whole. */
  #any(): Pair | undefined {
    const from = this.#at;
    if (from < this.#bytes.length && this.#bytes[from] !== OPEN) throw new Misunderstood('no key');
    const end = this.#end();
    if (end === undefined) return undefined;
    this.#at = end;
    return toPair(decodeBody(this.#bytes.subarray(from, end)));
  }

  /** Where the object ends that begins here; it has no other ones in it. */
  #end(): number | undefined {
    const bytes = this.#bytes;
    let inText = false;
    for (let at = this.#at; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) inText = !inText;
      else if (inText && byte === BACKSLASH) at += 1;
      else if (!inText && byte === CLOSE) return at + 1;
    }
    return undefined;
  }

  /** Whether these bytes come next; steps over them. */
  #passes(expected: Buffer): boolean {
    const bytes = this.#bytes;
    const from = this.#at;
    for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false;
    this.#at = from + expected.length;
    return true;
  }

  /** The number that begins here. What is too long is left for {@link #passes} to stumble over. */
  #number(): number {
    const bytes = this.#bytes;
    let number = 0;
    for (let left = SAFE_DIGITS; left > 0; left--) {
      const digit = (bytes[this.#at] ?? 0) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      number = 10 * number + digit;
      this.#at += 1;
    }
    return number;
  }

  /** The key that begins here. A backslash is left for {@link #passes} to stumble over. */
  #key(): string {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    let bits = 0;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE || byte === BACKSLASH) break;
      bits |= byte;
    }
    this.#at = at;
    return bytes.toString(bits < NOT_ASCII ? 'latin1' : 'utf8', from, at);
  }

  /** The text that begins here, up to the next quote. */
  #base64(): string {
    const end = this.#bytes.indexOf(QUOTE, this.#at);
    const text = this.#bytes.toString('latin1', this.#at, end < 0 ? this.#at : end);
    if (end >= 0) this.#at = end;
    return text;
  }
}
