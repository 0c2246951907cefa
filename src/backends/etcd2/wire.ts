import type protobuf from 'protobufjs';

/**
 * Tags of etcd's messages as they are read and written here by hand: the number of the field times eight, and how it is written
 * (rpc.proto and kv.proto of etcd).
 */
export const FIELD = {
  header: { revision: 0x18 },
  range: { header: 0x0a, kvs: 0x12, more: 0x18, count: 0x20 },
  kv: { key: 0x0a, modRevision: 0x18, value: 0x2a, lease: 0x30 },
  txn: { compare: 0x0a, success: 0x12 },
  compare: { result: 0x08, target: 0x10, key: 0x1a, version: 0x20, modRevision: 0x30 },
  op: { put: 0x12, deleteRange: 0x1a },
  put: { key: 0x0a, value: 0x12 },
  deleteRange: { key: 0x0a },
  txnAnswer: { header: 0x0a, succeeded: 0x10 },
} as const;

/** The part of a tag that says how a field is written. */
export const WIRE_TYPE = 7;

/** Bits of a varint that a number surely holds. */
const SAFE_BITS = 49;

/** An int64 in decimal. */
export function readDecimal(reader: protobuf.Reader): string {
  const from = reader.pos;
  let value = 0;
  for (let bits = 0, factor = 1; bits < SAFE_BITS; bits += 7, factor *= 128) {
    if (reader.pos >= reader.len) break;
    const byte = reader.buf[reader.pos++] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return String(value);
  }
  reader.pos = from;
  return String(reader.int64());
}

/** The revision in a ResponseHeader; the reader stands before its length. */
export function readRevision(reader: protobuf.Reader): string {
  const end = reader.uint32() + reader.pos;
  let revision = '0';
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag === FIELD.header.revision) revision = readDecimal(reader);
    else reader.skipType(tag & WIRE_TYPE);
  }
  return revision;
}
