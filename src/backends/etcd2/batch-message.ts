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
  const names = ops.map(({ path }) => keys.name(path));
  let bytes = guarded === undefined ? 0 : guarded.key.length + FRAME_BYTES;
  for (const op of ops) bytes += FRAME_BYTES + ('bytes' in op ? op.bytes.byteLength : 0);
  const writer = new Writer(names, bytes);
  let index = 0;
  for (const op of ops) {
    const key = index++;
    if (op.type === 'create') writer.compareVersion(key, false);
    else if (op.version === null) writer.compareVersion(key, op.type === 'delete');
    else writer.compareRevision(key, readVersion(store, op.version, op.path));
  }
  if (guarded !== undefined) writer.compareRevision(guarded.key, guarded.revision);
  index = 0;
  for (const op of ops) {
    const key = index++;
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

/** Bytes of tags, lengths and numbers of one operation, at most. */
const FRAME_BYTES = 64;

/**
 * Writes conditions and effects one after another. Lengths are known before what they are of: nothing is moved. The keys are encoded
 * at once, into the same memory, and copied from there: one by one each of them would cost as much as its value.
 */
class Writer {
  readonly #bytes: Buffer;
  /** Where each key begins; the last one is where the request does. */
  readonly #keys: readonly number[];
  #at: number;

  /** @param bytes of all but these keys, at most */
  constructor(keys: readonly string[], bytes: number) {
    const all = keys.join('');
    const keyBytes = Buffer.byteLength(all);
    // Each key is written twice at most, as a condition's and as an effect's.
    this.#bytes = Buffer.allocUnsafe(3 * keyBytes + bytes);
    this.#at = this.#bytes.write(all);
    // Where each character is one byte, they need not be counted.
    const lengthOf = keyBytes === all.length ? characters : Buffer.byteLength;
    const begins = [0];
    let end = 0;
    for (const key of keys) {
      end += lengthOf(key);
      begins.push(end);
    }
    this.#keys = begins;
  }

  /** Condition: there is no such key, or there is one. */
  compareVersion(key: number, exists: boolean): void {
    this.#number(FIELD.txn.compare, (exists ? 2 : 0) + fieldBytes(this.#length(key)) + 2);
    if (exists) this.#number(FIELD.compare.result, GREATER);
    this.#key(FIELD.compare.key, key);
    this.#number(FIELD.compare.version, 0);
  }

  /** Condition: the key, one of the batch or another, has this mod revision. */
  compareRevision(key: number | Buffer, decimal: string): void {
    const revision = varintOf(decimal);
    const length = typeof key === 'number' ? this.#length(key) : key.length;
    this.#number(FIELD.txn.compare, 2 + fieldBytes(length) + 1 + revision.length);
    this.#number(FIELD.compare.target, MOD);
    if (typeof key === 'number') this.#key(FIELD.compare.key, key);
    else this.#field(FIELD.compare.key, key);
    this.#bytes[this.#at++] = FIELD.compare.modRevision;
    for (const byte of revision) this.#bytes[this.#at++] = byte;
  }

  put(key: number, value: Uint8Array): void {
    const inner = fieldBytes(this.#length(key)) + fieldBytes(value.byteLength);
    this.#number(FIELD.txn.success, fieldBytes(inner));
    this.#number(FIELD.op.put, inner);
    this.#key(FIELD.put.key, key);
    this.#field(FIELD.put.value, value);
  }

  remove(key: number): void {
    const inner = fieldBytes(this.#length(key));
    this.#number(FIELD.txn.success, fieldBytes(inner));
    this.#number(FIELD.op.deleteRange, inner);
    this.#key(FIELD.deleteRange.key, key);
  }

  written(): Buffer {
    return this.#bytes.subarray(this.#keys.at(-1), this.#at);
  }

  #length(key: number): number {
    return (this.#keys[key + 1] ?? 0) - (this.#keys[key] ?? 0);
  }

  #key(tag: number, key: number): void {
    const length = this.#length(key);
    const from = this.#keys[key] ?? 0;
    this.#number(tag, length);
    this.#bytes.copyWithin(this.#at, from, from + length);
    this.#at += length;
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

function characters(text: string): number {
  return text.length;
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
