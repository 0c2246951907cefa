import protobuf from 'protobufjs';
import { FIELD, readDecimal, readRevision, WIRE_TYPE } from './wire.js';

/** An answer to a range request. */
export interface RecordPage {
  readonly records: readonly ReadRecord[];
  /** Whether there are keys beyond the page. */
  readonly more: boolean;
  /** Of the store, when it answered. */
  readonly revision: string;
}

/** A key and its value: parts of the answer that they came in. */
export interface ReadRecord {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Decimal. */
  readonly modRevision: string;
  /** It belongs to a lease, and goes away with it. */
  readonly leased: boolean;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Reads a RangeResponse. What etcd3 makes of one has all fields of each key, numbers as text, and takes several times as long. */
export function readRecordPage(answer: Buffer): RecordPage {
  const reader = protobuf.Reader.create(answer);
  const records: ReadRecord[] = [];
  const page = { records, more: false, revision: '0' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === FIELD.range.kvs) records.push(readRecord(reader, answer));
    else if (tag === FIELD.range.header) page.revision = readRevision(reader);
    else if (tag === FIELD.range.more) page.more = reader.bool();
    else reader.skipType(tag & WIRE_TYPE);
  }
  return page;
}

function readRecord(reader: protobuf.Reader, answer: Buffer): ReadRecord {
  const end = reader.uint32() + reader.pos;
  let key = NOTHING;
  let value = NOTHING;
  let modRevision = '0';
  let leased = false;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === FIELD.kv.key) key = readBytes(reader, answer);
    else if (tag === FIELD.kv.value) value = readBytes(reader, answer);
    else if (tag === FIELD.kv.modRevision) modRevision = readDecimal(reader);
    else if (tag === FIELD.kv.lease) leased = readDecimal(reader) !== '0';
    else reader.skipType(tag & WIRE_TYPE);
  }
  return { key, value, modRevision, leased };
}

function readBytes(reader: protobuf.Reader, answer: Buffer): Buffer {
  const length = reader.uint32();
  const from = reader.pos;
  reader.skip(length);
  return answer.subarray(from, from + length);
}
