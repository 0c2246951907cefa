import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { compareBytewise } from '../../topo/paths.js';
import { type Identity, type Line, readLines } from './disk.js';
import {
  Damage,
  isWhole,
  parseBaseLine,
  parseChange,
  parseHeader,
  placeOf,
  type RecordLine,
  type Run,
  type Trailer,
} from './format.js';
import { Contents, compareScopes, Entry } from './tree.js';

/** A file as it was found. */
export interface Loaded {
  readonly contents: Contents;
  readonly identity: Identity;
  /** The first line without its end. */
  readonly firstLine: Buffer;
  readonly created: string;
  /** Number of the last change. */
  readonly position: number;
  /** Bytes of the changes that follow the sorted records. */
  readonly tailBytes: number;
  /** Number of an unfinished last line, which was left out: a change that was never acknowledged. */
  readonly torn: number | undefined;
}

/** The name belongs to something else than a file. */
export class NoFile extends Error {}

/** Reads a file and checks every byte of it. Damage, naming line, scope and path; UnknownFormat; NoFile. */
export async function load(file: string): Promise<Loaded> {
  // Without O_NONBLOCK, opening a pipe would wait for somebody to write to it.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const identity = await handle.stat({ bigint: true });
    if (!identity.isFile()) throw new NoFile();
    const reader = new Reader();
    for await (const lines of readLines(handle, Number(identity.size)))
      for (const line of lines) reader.take(line);
    return { ...reader.finish(), identity };
  } finally {
    await handle.close();
  }
}

class Reader {
  readonly #contents = new Contents();
  readonly #hash = createHash('sha256');
  #number = 0;
  #firstLine: Buffer | undefined;
  #created = '';
  #position = 0;
  #changes: Iterator<number, undefined> = numbersOf([]);
  #last: RecordLine | undefined;
  #records = 0;
  #closed = false;
  #tailBytes = 0;
  #torn: number | undefined;

  take(line: Line): void {
    this.#number += 1;
    if (this.#firstLine === undefined) this.#takeHeader(line);
    else if (this.#closed) this.#takeChange(line);
    else this.#takeBaseLine(line);
  }

  finish(): Omit<Loaded, 'identity'> {
    if (this.#firstLine === undefined) throw new Damage('the file is empty');
    if (!this.#closed)
      throw new Damage(`the file ends after line ${this.#number}${this.#after()}, without its closing line`);
    return {
      contents: this.#contents,
      firstLine: this.#firstLine,
      created: this.#created,
      position: this.#position,
      tailBytes: this.#tailBytes,
      torn: this.#torn,
    };
  }

  #takeHeader({ bytes, ended }: Line): void {
    const header = this.#parse(bytes, () => parseHeader(bytes));
    if (!ended) throw this.#cutOff();
    // A copy: lines are parts of larger buffers.
    this.#firstLine = Buffer.from(bytes);
    this.#created = header.created;
    this.#position = header.position;
    this.#changes = numbersOf(header.changes);
  }

  #takeBaseLine({ bytes, ended, whole }: Line): void {
    const line = this.#parse(bytes, () => parseBaseLine(bytes));
    if (!ended) throw this.#cutOff();
    if ('records' in line) {
      this.#close(line);
      return;
    }
    const { scope, path } = line;
    if (this.#last !== undefined && compareRecords(this.#last, line) >= 0)
      throw this.#at(`${scope} ${path} is not in its place: it comes after ${nameOf(this.#last)}`);
    this.#last = line;
    this.#records += 1;
    this.#hash.update(whole);
    const change = this.#changes.next().value;
    if (change === undefined) throw this.#at('the first line does not say which change made this record');
    this.#contents.tree(scope).set(path, new Entry(line.bytes, change));
  }

  #close({ records, sha256 }: Trailer): void {
    if (records !== this.#records)
      throw this.#at(`the file has ${this.#records} records, its closing line says ${records}`);
    if (sha256 !== this.#hash.digest('hex'))
      throw this.#at('the records are not those that the closing line was made for');
    this.#closed = true;
  }

  #takeChange({ bytes, ended }: Line): void {
    if (!ended) {
      // Writing a line ends with its end, so a whole line followed by another byte was not torn but altered.
      if (isWhole(bytes.subarray(0, -1))) throw this.#at('its line end is altered');
      this.#torn = this.#number;
      return;
    }
    const { change, scope, items } = this.#parse(bytes, () => parseChange(bytes));
    if (change !== this.#position + 1)
      throw this.#at(`change ${change} follows change ${this.#position}: lines are missing or exchanged`);
    this.#position = change;
    this.#tailBytes += bytes.length + 1;
    const tree = this.#contents.tree(scope);
    for (const item of items)
      tree.set(item.path, item.bytes === undefined ? undefined : new Entry(item.bytes, change));
  }

  #parse<T>(line: Buffer, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      const place = placeOf(line);
      throw this.#at(error.message, place === undefined ? this.#after() : ` (${place})`);
    }
  }

  #cutOff(): Damage {
    return this.#at('the file ends here, without a line end');
  }

  #at(problem: string, place = this.#after()): Damage {
    return new Damage(`line ${this.#number}${place}: ${problem}`);
  }

  #after(): string {
    if (this.#last === undefined || this.#closed) return '';
    return ` (after ${nameOf(this.#last)})`;
  }
}

function* numbersOf(runs: readonly Run[]): Generator<number, undefined> {
  for (const [change, count] of runs) for (let i = 0; i < count; i++) yield change;
}

function nameOf({ scope, path }: Pick<RecordLine, 'scope' | 'path'>): string {
  return `${scope} ${path}`;
}

function compareRecords(a: RecordLine, b: RecordLine): number {
  return compareScopes(a.scope, b.scope) || compareBytewise(a.path, b.path);
}
