import protobuf from 'protobufjs';
import { FIELD, readDecimal, readRevision, WIRE_TYPE } from './wire.js';

/** A key and its value. */
export interface ReadRecord {
  readonly path: string;
  /** Part of the answer that it came in. */
  readonly value: Buffer;
  /** Decimal. */
  readonly modRevision: string;
  /** It belongs to a lease, and goes away with it. */
  readonly leased: boolean;
}

/** The path that a part of an answer, from and to, stands for. */
export type PathOf = (answer: Buffer, from: number, to: number) => string;

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * An answer to a range request. Its records are read as they are taken: all of a large page at once would outlive young garbage
 * collections, which costs more than reading them. What etcd3 makes of an answer has all fields of each key, numbers as text, and
 * takes several times as long.
 */
export class RecordPage {
  /** How many records there are. */
  readonly size: number;
  readonly bytes: number;
  /** The keys of the first one and of the last one; undefined: there is none. */
  readonly first: Buffer | undefined;
  readonly last: Buffer | undefined;
  /** Whether there are keys beyond the page. */
  readonly more: boolean;
  /** Of the store, when it answered. */
  readonly revision: string;
  readonly #answer: Buffer;
  readonly #reader: protobuf.Reader;

  constructor(answer: Buffer) {
    this.#answer = answer;
    this.#reader = protobuf.Reader.create(answer);
    this.bytes = answer.length;
    const reader = protobuf.Reader.create(answer);
    let [size, first, last, more, revision] = [0, -1, -1, false, '0'];
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === FIELD.range.kvs) {
        last = reader.pos;
        if (size === 0) first = last;
        size += 1;
        reader.skip(reader.uint32());
      } else if (tag === FIELD.range.header) revision = readRevision(reader);
      else if (tag === FIELD.range.more) more = reader.bool();
      else reader.skipType(tag & WIRE_TYPE);
    }
    this.size = size;
    this.more = more;
    this.revision = revision;
    this.first = first < 0 ? undefined : this.#keyAt(first);
    this.last = last < 0 ? undefined : this.#keyAt(last);
  }

  /** The next records; none: there are no more. */
  take(count: number, pathOf: PathOf): ReadRecord[] {
    const reader = this.#reader;
    const records: ReadRecord[] = [];
    while (records.length < count && reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === FIELD.range.kvs) records.push(this.#record(pathOf));
      else reader.skipType(tag & WIRE_TYPE);
    }
    return records;
  }

  #record(pathOf: PathOf): ReadRecord {
    const reader = this.#reader;
    const end = reader.uint32() + reader.pos;
    let [from, to] = [0, 0];
    let value = NOTHING;
    let modRevision = '0';
    let leased = false;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag === FIELD.kv.key) {
        const length = reader.uint32();
        from = reader.pos;
        to = from + length;
        reader.skip(length);
      } else if (tag === FIELD.kv.value) {
        const length = reader.uint32();
        value = this.#answer.subarray(reader.pos, reader.pos + length);
        reader.skip(length);
      } else if (tag === FIELD.kv.modRevision) modRevision = readDecimal(reader);
      else if (tag === FIELD.kv.lease) leased = readDecimal(reader) !== '0';
      else reader.skipType(tag & WIRE_TYPE);
    }
    return { path: pathOf(this.#answer, from, to), value, modRevision, leased };
  }

  /** The key of the record whose length stands here. */
  #keyAt(at: number): Buffer {
    const reader = protobuf.Reader.create(this.#answer);
    reader.pos = at;
    const end = reader.uint32() + reader.pos;
    while (reader.pos < end) {
      const tag = reader.uint32();
      if (tag !== FIELD.kv.key) {
        reader.skipType(tag & WIRE_TYPE);
        continue;
      }
      const length = reader.uint32();
      return this.#answer.subarray(reader.pos, reader.pos + length);
    }
    return NOTHING;
  }
}
