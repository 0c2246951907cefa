import type { CallOptions, WriteOp } from '../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import type { Version } from '../../topo/version.js';
import type { Pair, TxnAnswer } from './answers.js';
import type { ConsulClient } from './client.js';
import { changed, denied, hidden, noRecord, recordExists } from './error.js';
import { isPlain } from './keys.js';
import type { KvOp } from './member.js';
import { makeVersion, readVersion } from './version.js';

/** What is written: operations of the contract, or a record in any state. */
export type Effect = WriteOp | { readonly type: 'put'; readonly path: string; readonly bytes: Uint8Array };

/** Consul's operations that an effect takes at most. It takes 64 of them in one transaction. */
export const OPS_PER_EFFECT = 2;

/** ModifyIndex of no key: Raft's first entry is never one of KV. */
const NO_INDEX = 1;

/** What is done in the same transaction before the effects, and what its refusal means. */
export interface Condition {
  readonly op: KvOp;
  readonly refused: () => TopologyError;
}

/**
 * Writes through a transaction, for a URL does not take every key. Fails with the error of the first effect that was
 * refused, for a batch with its index.
 */
export async function transact(
  client: ConsulClient,
  effects: readonly Effect[],
  options: CallOptions | undefined,
  { path, condition }: { readonly path?: string; readonly condition?: Condition | undefined } = {},
): Promise<(Version | undefined)[]> {
  const { store } = client.context;
  const ops: KvOp[] = condition === undefined ? [] : [condition.op];
  /** For each operation the index of its effect; -1 for the condition. */
  const owners = ops.map(() => -1);
  effects.forEach((effect, index) => {
    for (const op of opsOf(client, effect)) {
      ops.push(op);
      owners.push(index);
    }
  });
  const answer = await client.write(path, options, (member, limits) => member.txn(ops, limits));
  if (answer.errors.length > 0) {
    const first = answer.errors.reduce((a, b) => (b.index < a.index ? b : a));
    const index = owners[first.index] ?? -1;
    const effect = effects[index];
    if (isDenied(first.what)) throw denied(client.context, effect?.path ?? path ?? '');
    if (effect === undefined) throw condition?.refused() ?? refusedOtherwise(client, first.what);
    const refusal = await refusalOf(client, effect, first.what, options);
    throw path === undefined ? refusal.at(index) : refusal;
  }
  const indexes = new Map<string, number>();
  for (const { key, modifyIndex } of answer.results) indexes.set(key, modifyIndex);
  return effects.map((effect) => {
    if (effect.type === 'delete' || effect.type === 'check') return undefined;
    const written = indexes.get(client.keys.key(effect.path));
    return written === undefined ? undefined : makeVersion(store, written);
  });
}

/** One record, or none. Unauthorized when the token may not read it. `about`: the path that errors name. */
export function find(
  client: ConsulClient,
  path: string,
  options: CallOptions | undefined,
  about = path,
): Promise<Pair | undefined> {
  const key = client.keys.key(path);
  if (isPlain(key)) return client.read(about, options, (member, limits) => member.one(key, limits));
  return findOdd(client, key, options, about);
}

/** One record whose key no URL takes. */
async function findOdd(
  client: ConsulClient,
  key: string,
  options: CallOptions | undefined,
  about: string,
): Promise<Pair | undefined> {
  const op: KvOp = { Verb: 'get', Key: key };
  const answer = await client.read(about, options, (member, limits) => member.txn([op], limits));
  if (answer.errors.length > 0) await proveReadable(client, [key], about, options);
  else if (answer.results.length === 0) throw hidden(client.context, about);
  return answer.results[0];
}

/**
 * Which of the keys do not exist. Unauthorized when the token may not read one of them: Consul leaves such keys out of
 * listings in silence, but refuses to compare their indexes.
 */
export async function proveReadable(
  client: ConsulClient,
  keys: readonly string[],
  path: string,
  options: CallOptions | undefined,
): Promise<Set<string>> {
  const absent = new Set<string>();
  for (let i = 0; i < keys.length; i += TXN_OPS) {
    const part = keys.slice(i, i + TXN_OPS);
    const ops = part.map((Key): KvOp => ({ Verb: 'check-index', Key, Index: NO_INDEX }));
    const { errors } = await client.read(path, options, (member, limits) => member.txn(ops, limits));
    if (errors.some(({ what }) => isDenied(what))) throw hidden(client.context, path);
    for (const { index, what } of errors) {
      const key = part[index];
      if (key !== undefined && isAbsent(what)) absent.add(key);
    }
  }
  return absent;
}

/** Records of keys, at most {@link TXN_OPS} at once; those that do not exist are left out. Unauthorized as in {@link find}. */
export async function findAll(
  client: ConsulClient,
  keys: readonly string[],
  path: string,
  options: CallOptions | undefined,
): Promise<Map<string, Pair>> {
  let wanted = keys;
  for (;;) {
    if (wanted.length === 0) return new Map();
    const ops = wanted.map((Key): KvOp => ({ Verb: 'get', Key }));
    const answer: TxnAnswer = await client.read(path, options, (member, limits) => member.txn(ops, limits));
    const gone = new Set(answer.errors.map(({ index }) => index));
    if (gone.size === 0) {
      if (answer.results.length < wanted.length) throw hidden(client.context, path);
      return new Map(answer.results.map((pair) => [pair.key, pair]));
    }
    wanted = wanted.filter((_, index) => !gone.has(index));
  }
}

/** Operations of one transaction. */
export const TXN_OPS = 64;

export function isDenied(what: string): boolean {
  return /Permission denied/.test(what);
}

function isAbsent(what: string): boolean {
  return /doesn't exist/.test(what);
}

function opsOf(client: ConsulClient, effect: Effect): KvOp[] {
  const { store } = client.context;
  const Key = client.keys.key(effect.path);
  switch (effect.type) {
    case 'put':
      return [{ Verb: 'set', Key, Value: base64(effect.bytes) }];
    case 'create':
      return [{ Verb: 'cas', Key, Index: 0, Value: base64(effect.bytes) }];
    case 'update': {
      const Index = readVersion(store, effect.version, effect.path);
      return [{ Verb: 'cas', Key, Index, Value: base64(effect.bytes) }];
    }
    case 'delete': {
      const remove: KvOp = { Verb: 'delete', Key };
      // Consul deletes what does not exist, in any state, without a word.
      if (effect.version === null) return [{ Verb: 'get', Key }, remove];
      return [{ Verb: 'check-index', Key, Index: readVersion(store, effect.version, effect.path) }, remove];
    }
    case 'check':
      if (effect.version === null) return [{ Verb: 'check-not-exists', Key }];
      return [{ Verb: 'check-index', Key, Index: readVersion(store, effect.version, effect.path) }];
  }
}

/** Why an effect was refused: for a state that was named, Consul does not tell which way it is another. */
async function refusalOf(
  client: ConsulClient,
  effect: Effect,
  what: string,
  options: CallOptions | undefined,
): Promise<TopologyError> {
  const { context } = client;
  const { path } = effect;
  if (effect.type === 'put') return refusedOtherwise(client, what, path);
  if (effect.type === 'create') return recordExists(context, path);
  if (effect.version === null)
    return effect.type === 'check' ? recordExists(context, path) : noRecord(context, path);
  const found = await find(client, path, options);
  if (found === undefined) return noRecord(context, path);
  if (String(found.modifyIndex) !== effect.version.token) return changed(context, path);
  return refusedOtherwise(client, what, path);
}

function refusedOtherwise({ context }: ConsulClient, what: string, path?: string): TopologyError {
  const { store } = context;
  return new TopologyError(ErrorCode.Unavailable, `Consul refused: ${what}`, {
    store,
    path,
    retryable: false,
  });
}

function base64(bytes: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = bytes;
  return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, byteLength)).toString('base64');
}
