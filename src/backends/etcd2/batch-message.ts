import protobuf from 'protobufjs';
import type { WriteOp } from '../../topo/connection.js';
import type { Keys } from './keys.js';
import { readVersion } from './version.js';
import { FIELD, readRevision, WIRE_TYPE } from './wire.js';

/** What becomes of a batch that looks nothing up. */
export interface BatchAnswer {
  /** Whether all conditions held, and all was done. */
  readonly succeeded: boolean;
  /** Of the store, afterwards. */
  readonly revision: string;
}

/** A key whose mod revision a batch depends on, beside its operations. */
export interface Guarded {
  readonly key: Buffer;
  /** Decimal. */
  readonly revision: string;
}

/** Numbers of etcd's enums, those that differ from the default: how a condition compares, and what with. */
const GREATER = 1;
const MOD = 2;

/**
 * A TxnRequest with the conditions of a batch and its effects, and nothing to look up. etcd3 would write the same, and take several
 * times as long: most of what it costs to write a record.
 */
export function batchRequest(
  store: string,
  keys: Keys,
  ops: readonly WriteOp[],
  guarded: Guarded | undefined,
): Buffer {
  const writer = new Writer();
  const encoded = ops.map(({ path }) => keys.key(path));
  for (const [index, op] of ops.entries()) {
    const key = encoded[index] ?? NOTHING;
    if (op.type === 'create') writer.compareVersion(key, false);
    else if (op.version === null) writer.compareVersion(key, op.type === 'delete');
    else writer.compareRevision(key, readVersion(store, op.version, op.path));
  }
  if (guarded !== undefined) writer.compareRevision(guarded.key, guarded.revision);
  for (const [index, op] of ops.entries()) {
    const key = encoded[index] ?? NOTHING;
    if (op.type === 'delete') writer.remove(key);
    else if (op.type !== 'check') writer.put(key, op.bytes);
  }
  return writer.written();
}

/** Reads a TxnResponse for what a batch needs of it. */
export function readBatchAnswer(answer: Buffer): BatchAnswer {
  const reader = protobuf.Reader.create(answer);
  const found = { succeeded: false, revision: '0' };
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === FIELD.txnAnswer.header) found.revision = readRevision(reader);
    else if (tag === FIELD.txnAnswer.succeeded) found.succeeded = reader.bool();
    else reader.skipType(tag & WIRE_TYPE);
  }
  return found;
}

const NOTHING: Buffer = Buffer.alloc(0);
const FIRST_BYTES = 1 << 16;
/** Bytes of tags, lengths and numbers of one operation, at most. */
const FRAME_BYTES = 64;

/** Writes conditions and effects one after another. Lengths are known before what they are of: nothing is moved. */
class Writer {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;

  /** Condition: there is no such key, or there is one. */
  compareVersion(key: Buffer, exists: boolean): void {
    this.#reserve(key.length);
    this.#number(FIELD.txn.compare, (exists ? 2 : 0) + fieldBytes(key.length) + 2);
    if (exists) this.#number(FIELD.compare.result, GREATER);
    this.#field(FIELD.compare.key, key);
    this.#number(FIELD.compare.version, 0);
  }

  /** Condition: the key has this mod revision. */
  compareRevision(key: Buffer, decimal: string): void {
    this.#reserve(key.length);
    const revision = varintOf(decimal);
    this.#number(FIELD.txn.compare, 2 + fieldBytes(key.length) + 1 + revision.length);
    this.#number(FIELD.compare.target, MOD);
    this.#field(FIELD.compare.key, key);
    this.#bytes[this.#at++] = FIELD.compare.modRevision;
    for (const byte of revision) this.#bytes[this.#at++] = byte;
  }

  put(key: Buffer, value: Uint8Array): void {
    this.#reserve(key.length + value.byteLength);
    const inner = fieldBytes(key.length) + fieldBytes(value.byteLength);
    this.#number(FIELD.txn.success, fieldBytes(inner));
    this.#number(FIELD.op.put, inner);
    this.#field(FIELD.put.key, key);
    this.#field(FIELD.put.value, value);
  }

  remove(key: Buffer): void {
    this.#reserve(key.length);
    const inner = fieldBytes(key.length);
    this.#number(FIELD.txn.success, fieldBytes(inner));
    this.#number(FIELD.op.deleteRange, inner);
    this.#field(FIELD.deleteRange.key, key);
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes + FRAME_BYTES;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }

  #field(tag: number, bytes: Uint8Array): void {
    this.#number(tag, bytes.byteLength);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  /** A field that is a number below 2^32, or the beginning of one of so many bytes. */
  #number(tag: number, value: number): void {
    this.#bytes[this.#at++] = tag;
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#at++] = rest;
  }
}

/** Bytes of a field that is so long, its tag and its length included. */
function fieldBytes(length: number): number {
  let bytes = 2 + length;
  for (let rest = length; rest >= 0x80; rest >>>= 7) bytes += 1;
  return bytes;
}

function varintOf(decimal: string): number[] {
  const bytes: number[] = [];
  let rest = BigInt(decimal);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}
