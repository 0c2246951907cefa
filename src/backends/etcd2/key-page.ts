import protobuf from 'protobufjs';
import { FIELD, readDecimal, readRevision, WIRE_TYPE } from './wire.js';

/** An answer to a range request for keys alone. */
export interface KeyPage {
  readonly keys: readonly ListedKey[];
  /** Whether there are keys beyond the page. */
  readonly more: boolean;
  /** Keys of the whole range. */
  readonly count: number;
  /** Of the store, when it answered. */
  readonly revision: string;
}

export interface ListedKey {
  readonly key: Buffer;
  /** It belongs to a lease, and goes away with it. */
  readonly leased: boolean;
}

/**
 * Reads a RangeResponse for its keys. What etcd3 makes of an answer has all fields of each key, numbers as text, and takes ten times as
 * long: most of the time of a large listing.
 */
export function readKeyPage(answer: Buffer): KeyPage {
  const reader = protobuf.Reader.create(answer);
  const keys: ListedKey[] = [];
  const page = { keys, more: false, count: 0, revision: '0' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === FIELD.range.kvs) keys.push(readKey(reader, answer));
    else if (tag === FIELD.range.header) page.revision = readRevision(reader);
    else if (tag === FIELD.range.more) page.more = reader.bool();
    else if (tag === FIELD.range.count) page.count = Number(readDecimal(reader));
    else reader.skipType(tag & WIRE_TYPE);
  }
  return page;
}

function readKey(reader: protobuf.Reader, answer: Buffer): ListedKey {
  const end = reader.uint32() + reader.pos;
  let key: Buffer = NO_KEY;
  let leased = false;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === FIELD.kv.key) {
      const length = reader.uint32();
      key = answer.subarray(reader.pos, reader.pos + length);
      reader.skip(length);
    } else if (tag === FIELD.kv.lease) leased = readDecimal(reader) !== '0';
    else reader.skipType(tag & WIRE_TYPE);
  }
  return { key, leased };
}

const NO_KEY: Buffer = Buffer.alloc(0);
