import type { CallOptions, SyncedEvent, WatchEvent } from '../../topo/connection.js';
import { followPasses } from '../../topo/follow.js';
import { type EventQueue, watchEvents } from '../../topo/queue.js';
import type { Pair } from './answers.js';
import type { ConsulClient } from './client.js';
import { recordGroups } from './directory.js';
import { toValue } from './file.js';
import { isPlain, plainHead } from './keys.js';
import type { Found, KvQuery } from './member.js';
import { find, proveReadable } from './transaction.js';

/** Milliseconds that a watched directory rests for each record that was listed: its server then spends half of its time on it at most. */
const REST_MS = 0.01;

export function watch(client: ConsulClient, path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
  return watchEvents(client.context, options, path, (queue) =>
    followRecord(client, queue, path, (pair) => {
      const value = pair && toValue(client, pair);
      queue.push({ type: 'record', path, value }, path);
    }),
  );
}

/**
 * Every change of a record below the prefix costs a listing of all of them, with their values: Consul tells that something
 * changed, not what. What differs is told by the ModifyIndex.
 */
export function watchRecursive(
  client: ConsulClient,
  prefix: string,
  options?: CallOptions,
): AsyncIterable<WatchEvent | SyncedEvent> {
  return watchEvents<WatchEvent | SyncedEvent>(client.context, options, prefix, (queue) => {
    /** Versions of the states delivered last. */
    const known = new Map<string, string>();
    let synced = false;
    const key = plainHead(client.keys.below(prefix));
    return follow(client, queue, prefix, async (after, signal) => {
      const tree = await ask(client, prefix, after, signal, (member, limits) =>
        member.tree({ key, after }, limits),
      );
      const records = [...recordGroups(client, prefix, tree)].flat();
      const gone = new Set(known.keys());
      for (const { path } of records) gone.delete(path);
      await deliverGone(client, prefix, [...gone], { signal }, (path) => {
        known.delete(path);
        queue.push({ type: 'record', path, value: undefined }, path);
      });
      for (const { path, ...value } of records) {
        if (known.get(path) === value.version.token) continue;
        known.set(path, value.version.token);
        queue.push({ type: 'record', path, value }, path);
      }
      if (!synced) {
        await proveReadable(client, [client.keys.nobody(prefix)], prefix, { signal });
        queue.push({ type: 'synced' });
        synced = true;
      }
      await client.sleep(records.length * REST_MS, signal);
      return tree.index;
    });
  });
}

/** Follows one record: calls `deliver` with each state that differs from the one before, at first with the present one. */
export function followRecord<T>(
  client: ConsulClient,
  queue: EventQueue<T>,
  path: string,
  deliver: (pair: Pair | undefined) => void,
): Promise<void> {
  /** ModifyIndex of the state delivered last; null for absent. */
  let last: number | null | undefined;
  return follow(client, queue, path, async (after, signal) => {
    const { items, index } = await readRecord(client, path, after, signal);
    const [pair] = items;
    const state = pair?.modifyIndex ?? null;
    if (state !== last) {
      last = state;
      deliver(pair);
    }
    return index;
  });
}

/** One record and the index to go on from; with `after` once it may have changed, or the time of one poll is over. `about`: the path that errors name. */
export async function readRecord(
  client: ConsulClient,
  path: string,
  after: KvQuery['after'],
  signal: AbortSignal,
  about = path,
): Promise<Found<Pair>> {
  const key = client.keys.key(path);
  if (isPlain(key))
    return ask(client, about, after, signal, (member, limits) => member.get({ key, after }, limits));
  // No URL takes this key: a change of any with its beginning is a reason to look.
  const head = plainHead(key);
  const { index } = await ask(client, about, after, signal, (member, limits) =>
    member.keys({ key: head, after }, limits),
  );
  const pair = await find(client, path, { signal }, about);
  return { items: pair === undefined ? [] : [pair], index };
}

/** A blocking query where there is an index to wait from, otherwise a read. */
function ask<T>(
  client: ConsulClient,
  path: string,
  after: KvQuery['after'],
  signal: AbortSignal,
  work: Parameters<typeof client.read<T>>[2],
): Promise<T> {
  if (after === undefined) return client.read(path, { signal }, work);
  // The server adds up to a sixteenth, so that clients do not come all at once.
  return client.poll(after.waitMs * (1 + 1 / 16), signal, work);
}

/** Delivers what is really gone: a token that lost the right to read makes everything seem to be deleted. */
async function deliverGone(
  client: ConsulClient,
  prefix: string,
  paths: readonly string[],
  options: CallOptions,
  deliver: (path: string) => void,
): Promise<void> {
  if (paths.length === 0) return;
  const keys = paths.map((path) => client.keys.key(path));
  const absent = await proveReadable(client, keys, prefix, options);
  for (const path of paths) if (absent.has(client.keys.key(path))) deliver(path);
}

/**
 * Calls `step` again and again, with the index from which it is to wait for a change, and takes the index that it answers
 * with. Whatever fails (a dead or frozen server, an election), it begins again with reading.
 */
function follow<T>(
  client: ConsulClient,
  queue: EventQueue<T>,
  path: string,
  step: (after: KvQuery['after'], signal: AbortSignal) => Promise<number>,
): Promise<void> {
  let index: number | undefined;
  return followPasses(client, queue, path, async ({ signal }) => {
    const from = index;
    index = undefined;
    const next = await step(from === undefined ? undefined : { index: from, waitMs: client.pollMs }, signal);
    // An index that went back is one of another history: of a store that was restored.
    if (next > 0 && next >= (from ?? 0)) index = next;
    return index !== undefined;
  });
}
