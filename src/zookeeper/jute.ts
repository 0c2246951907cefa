/**
 * Jute, the serialisation of ZooKeeper (zookeeper.jute and org.apache.jute.BinaryOutputArchive in its source):
 * big-endian numbers, and a 32-bit length before strings, buffers and vectors, -1 for null.
 */

import { type Acl, type Stat, ZkCode, ZooKeeperError } from './client.js';

/** Bytes that one copy for several values has at the most, unless a value is larger. */
const SHARED_BYTES = 16_384;
/** What may follow the only value of an answer: a Stat. */
const REST_BYTES = 128;
/** Characters of a text that is written one by one. */
const SHORT = 16;
const STAT_BYTES = 68;
const NONE = Buffer.alloc(0);

/** Writes one request after another into a buffer that grows and is used again. */
export class JuteWriter {
  #bytes: Buffer = Buffer.allocUnsafe(1024);
  #view = viewOf(this.#bytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
    // One enormous request must not pin its size for the life of the process.
    if (this.#bytes.length > 1 << 21) this.#replace(Buffer.allocUnsafe(1024));
  }

  /** A copy of what was written since `clear`. */
  copy(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  int(value: number): void {
    this.#reserve(4);
    this.#view.setInt32(this.#length, value);
    this.#length += 4;
  }

  /** Overwrites four bytes written before. */
  intAt(position: number, value: number): void {
    this.#view.setInt32(position, value);
  }

  long(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value);
    this.#length += 8;
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value ? 1 : 0;
  }

  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    this.int(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  string(value: string): void {
    // No character of a JavaScript string takes more than three bytes of UTF-8.
    this.#reserve(4 + 3 * value.length);
    const at = this.#length + 4;
    const length =
      value.length <= SHORT && this.#writeAscii(value, at)
        ? value.length
        : this.#bytes.write(value, at, 'utf8');
    this.#view.setInt32(this.#length, length);
    this.#length = at + length;
  }

  /** False when the text is no ASCII. For a few characters less than a call out of JavaScript. */
  #writeAscii(value: string, at: number): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 0x80) return false;
      bytes[at + i] = code;
    }
    return true;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#replace(larger);
  }

  #replace(bytes: Buffer): void {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }
}

/**
 * Reads one answer after another. Everything read is a copy: the bytes may change after the answer was read.
 * Every method throws MarshallingError when the bytes end too early or a length is absurd, before allocating by it.
 */
export class JuteReader {
  #bytes: Buffer = NONE;
  #view = viewOf(this.#bytes);
  #position = 0;
  #end = 0;
  /** A copy of the bytes from one position up to and without another one. */
  #copy: Buffer = NONE;
  #copyView = viewOf(NONE);
  #copiedFrom = 0;
  #copiedTo = 0;

  /** Goes to the bytes from `start` up to and without `end`. */
  over(bytes: Buffer, start = 0, end = bytes.length): this {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = viewOf(bytes);
    }
    this.#position = start;
    this.#end = end;
    this.#copy = NONE;
    this.#copiedTo = 0;
    return this;
  }

  get remaining(): number {
    return this.#end - this.#position;
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  long(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  /** A 64-bit number that fits a JavaScript number: milliseconds. */
  time(): number {
    return timeAt(this.#view, this.#take(8));
  }

  bool(): boolean {
    return this.#view.getUint8(this.#take(1)) !== 0;
  }

  buffer(): Buffer | null {
    const length = this.int();
    if (length === -1) return null;
    const start = this.#take(length);
    return this.#copyOf(start, start + length);
  }

  /** The Stat that follows. Its numbers are made when they are looked at: a scan looks at few of them. */
  stat(): Stat {
    const start = this.#take(STAT_BYTES);
    this.#cover(start, start + STAT_BYTES);
    return new StatBytes(this.#copyView, start - this.#copiedFrom);
  }

  string(): string {
    const length = this.int();
    if (length === -1) return '';
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  /** Length of a vector whose items take `itemBytes` or more each. */
  count(itemBytes: number): number {
    const count = this.int();
    if (count === -1) return 0;
    if (count < 0 || count * itemBytes > this.remaining) throw malformed(`a vector of ${count}`);
    return count;
  }

  #copyOf(start: number, end: number): Buffer {
    if (end > this.#copiedTo && this.#end - end < REST_BYTES)
      return Buffer.from(this.#bytes.subarray(start, end));
    this.#cover(start, end);
    return this.#copy.subarray(start - this.#copiedFrom, end - this.#copiedFrom);
  }

  /**
   * Makes the copy hold these bytes. The many values of one answer share copies of {@link SHARED_BYTES}, as those of Node's own
   * pool do: a copy for each would cost a scan more than all else that is done to read it.
   */
  #cover(start: number, end: number): void {
    if (end <= this.#copiedTo) return;
    const to = Math.min(this.#end, Math.max(end, start + SHARED_BYTES));
    this.#copy = Buffer.from(this.#bytes.subarray(start, to));
    this.#copyView = viewOf(this.#copy);
    this.#copiedFrom = start;
    this.#copiedTo = to;
  }

  #take(bytes: number): number {
    const start = this.#position;
    if (bytes < 0 || bytes > this.#end - start) {
      throw malformed(`${bytes} bytes wanted, ${this.#end - start} there`);
    }
    this.#position = start + bytes;
    return start;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** MarshallingError: what arrived cannot be read. */
export function malformed(what: string): ZooKeeperError {
  return new ZooKeeperError(ZkCode.MarshallingError, `malformed answer: ${what}`);
}

/** How a value of one type goes to and from the wire. `In` is what may be written, `Out` what is read. */
export interface Field<In, Out = In> {
  write(writer: JuteWriter, value: In): void;
  read(reader: JuteReader): Out;
}

export const int: Field<number> = {
  write: (writer, value) => writer.int(value),
  read: (reader) => reader.int(),
};

export const long: Field<bigint> = {
  write: (writer, value) => writer.long(value),
  read: (reader) => reader.long(),
};

export const bool: Field<boolean> = {
  write: (writer, value) => writer.bool(value),
  read: (reader) => reader.bool(),
};

export const ustring: Field<string> = {
  write: (writer, value) => writer.string(value),
  read: (reader) => reader.string(),
};

export const buffer: Field<Uint8Array | null, Buffer | null> = {
  write: (writer, value) => writer.buffer(value),
  read: (reader) => reader.buffer(),
};

/** @param itemBytes the least number of bytes one item takes */
export function vector<T>(item: Field<T>, itemBytes: number): Field<readonly T[], T[]> {
  return {
    write: (writer, values) => {
      writer.int(values.length);
      for (const value of values) item.write(writer, value);
    },
    read: (reader) => {
      const values: T[] = [];
      for (let left = reader.count(itemBytes); left > 0; left--) values.push(item.read(reader));
      return values;
    },
  };
}

type Shape = Readonly<Record<string, Field<unknown>>>;
/** What may be written by the fields of `S`. */
export type Writes<S> = { readonly [K in keyof S]: S[K] extends Field<infer In, unknown> ? In : never };
/** What is read by the fields of `S`. */
export type Reads<S> = {
  readonly [K in keyof S]: S[K] extends { read(reader: JuteReader): infer Out } ? Out : never;
};

/** Fields one after another, in the order of the keys. */
export function record<S extends Shape>(shape: S): Field<Writes<S>, Reads<S>> {
  const fields: readonly (readonly [keyof S & string, Field<unknown>])[] = Object.entries(shape);
  return {
    write: (writer, value) => {
      for (const [name, field] of fields) field.write(writer, value[name]);
    },
    read: (reader) => {
      const value: Record<string, unknown> = {};
      for (const [name, field] of fields) value[name] = field.read(reader);
      return value as Reads<S>;
    },
  };
}

const aclFields = record({ perms: int, scheme: ustring, id: ustring });
/** Written by hand: once per node of a batch. */
export const acl: Field<Acl> = {
  write: (writer, { perms, scheme, id }) => {
    writer.int(perms);
    writer.string(scheme);
    writer.string(id);
  },
  read: (reader) => aclFields.read(reader),
};

/** By hand, not by `record`: read once per node of a scan. */
export const stat: Field<Stat> = {
  write: (writer, value) => {
    writer.long(value.czxid);
    writer.long(value.mzxid);
    writer.long(BigInt(value.ctime));
    writer.long(BigInt(value.mtime));
    writer.int(value.version);
    writer.int(value.cversion);
    writer.int(value.aversion);
    writer.long(value.ephemeralOwner);
    writer.int(value.dataLength);
    writer.int(value.numChildren);
    writer.long(value.pzxid);
  },
  read: (reader) => ({
    czxid: reader.long(),
    mzxid: reader.long(),
    ctime: reader.time(),
    mtime: reader.time(),
    version: reader.int(),
    cversion: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.long(),
    dataLength: reader.int(),
    numChildren: reader.int(),
    pzxid: reader.long(),
  }),
};

/** A Stat in the bytes of an answer. */
class StatBytes implements Stat {
  private readonly view: DataView;
  private readonly at: number;

  constructor(view: DataView, at: number) {
    this.view = view;
    this.at = at;
  }

  get czxid(): bigint {
    return this.view.getBigInt64(this.at);
  }

  get mzxid(): bigint {
    return this.view.getBigInt64(this.at + 8);
  }

  get ctime(): number {
    return timeAt(this.view, this.at + 16);
  }

  get mtime(): number {
    return timeAt(this.view, this.at + 24);
  }

  get version(): number {
    return this.view.getInt32(this.at + 32);
  }

  get cversion(): number {
    return this.view.getInt32(this.at + 36);
  }

  get aversion(): number {
    return this.view.getInt32(this.at + 40);
  }

  get ephemeralOwner(): bigint {
    return this.view.getBigInt64(this.at + 44);
  }

  get dataLength(): number {
    return this.view.getInt32(this.at + 52);
  }

  get numChildren(): number {
    return this.view.getInt32(this.at + 56);
  }

  get pzxid(): bigint {
    return this.view.getBigInt64(this.at + 60);
  }
}

/** A 64-bit number that fits a JavaScript number. */
function timeAt(view: DataView, at: number): number {
  return view.getInt32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
}
