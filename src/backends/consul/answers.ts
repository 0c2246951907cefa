/** What Consul answers, read from its JSON. */

const NO_BYTES = Buffer.alloc(0);

/** One key, as Consul has it. */
export interface Pair {
  readonly key: string;
  readonly value: Buffer;
  /** 64 bits, decimal. */
  readonly flags: string;
  /** Session that holds the key; `''`: none. */
  readonly session: string;
  readonly modifyIndex: number;
  readonly createIndex: number;
  /** How often it was acquired. */
  readonly lockIndex: number;
}

/** What became of a transaction. With any error nothing was done. Deletions have no result. */
export interface TxnAnswer {
  readonly results: readonly Pair[];
  readonly errors: readonly { readonly index: number; readonly what: string }[];
}

/** The answer is none that Consul gives. */
export class Misunderstood extends Error {}

export function numberOf(text: string | undefined): number {
  const index = Number(text);
  if (!Number.isSafeInteger(index)) throw new Misunderstood('no X-Consul-Index');
  return index;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** One item or several; none is `null`, or nothing at all. */
export function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

export function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Misunderstood('no text');
}

/** A key as Consul answers with it. */
interface RawPair {
  readonly Key: string;
  readonly Flags: string | number;
  readonly ModifyIndex: number;
  readonly CreateIndex?: unknown;
  readonly LockIndex?: unknown;
  readonly Value?: unknown;
  readonly Session?: unknown;
}

function isRawPair(raw: unknown): raw is RawPair {
  if (typeof raw !== 'object' || raw === null) return false;
  if (!('Key' in raw && 'Flags' in raw && 'ModifyIndex' in raw)) return false;
  const { Key, Flags, ModifyIndex } = raw;
  return (
    typeof Key === 'string' &&
    (typeof Flags === 'string' || typeof Flags === 'number') &&
    typeof ModifyIndex === 'number'
  );
}

export function toPair(raw: unknown): Pair {
  if (!isRawPair(raw)) throw new Misunderstood('no key');
  const { Key, Value, Flags, Session, ModifyIndex, CreateIndex, LockIndex } = raw;
  return {
    key: Key,
    value: toBytes(Value),
    flags: String(Flags),
    session: typeof Session === 'string' ? Session : '',
    modifyIndex: ModifyIndex,
    createIndex: Number(CreateIndex),
    lockIndex: Number(LockIndex),
  };
}

function toBytes(value: unknown): Buffer {
  // An empty value comes as null, and a transaction's writes come without theirs.
  return typeof value === 'string' ? Buffer.from(value, 'base64') : NO_BYTES;
}

export function toTxnAnswer(body: unknown): TxnAnswer {
  const results = listOf(field(body, 'Results'));
  return { results: results.map((result) => toPair(field(result, 'KV'))), errors: [] };
}

/** Why a transaction was refused; nothing, where the answer does not tell. */
export function toTxnErrors(body: unknown): TxnAnswer['errors'] {
  const errors = field(body, 'Errors');
  if (!Array.isArray(errors)) return [];
  return errors.map((raw) => ({ index: Number(field(raw, 'OpIndex')), what: toText(field(raw, 'What')) }));
}

/** Of a session that was made. */
export function toSessionId(body: unknown): string {
  return toText(field(body, 'ID'));
}
