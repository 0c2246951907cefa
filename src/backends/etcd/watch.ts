import type { CallOptions, WatchEvent } from '../../topo/connection.js';
import { followPasses } from '../../topo/follow.js';
import { type EventQueue, watchEvents } from '../../topo/queue.js';
import { type Answer, REFUSALS } from './answers.js';
import type { EtcdClient } from './client.js';
import { isRecordPlace, SHARED_VSCHEMAS } from './layout.js';
import { position } from './position.js';
import { find, isVSchema } from './record.js';
import type { EtcdStore } from './store.js';

export function watch(store: EtcdStore, path: string, options?: CallOptions): AsyncIterable<WatchEvent> {
  return watchEvents(store.context, options, path, (queue) => {
    /** Version delivered last; null for absent. */
    let last: string | null | undefined;
    return followFiles(store, queue, path, filesOf(store, path), async (signal) => {
      const value = await find(store, path, { signal });
      const state = value?.version.token ?? null;
      if (state === last) return;
      last = state;
      queue.push({ type: 'record', path, value }, path);
    });
  });
}

/** The native paths of all files that a record is made of. */
function filesOf({ layout }: EtcdStore, path: string): string[] {
  const locked = layout.lockedBy(path);
  if (locked !== undefined) return [layout.lock(locked)];
  const native = layout.find(path);
  if (native === undefined) return [];
  const place = layout.place(native);
  return isRecordPlace(place) && isVSchema(place) ? [native, SHARED_VSCHEMAS] : [native];
}

/** Calls `look` at first, whenever one of the files may have changed, and once in a while. */
export function followFiles<T>(
  client: EtcdClient,
  queue: EventQueue<T>,
  path: string,
  natives: readonly string[],
  look: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  /** Index of the first change that was not looked at yet. */
  let from: number | undefined;
  return followPasses(client, queue, path, async ({ signal, alive }) => {
    const after = from ?? Number(await position(client, { signal }, path)) + 1;
    from = undefined;
    await look(signal);
    alive();
    const change = await nextChange(client, natives, after, signal);
    // What the server forgot, or did not tell to its end, is looked at anew.
    if (change?.refused !== undefined) return change.refused === REFUSALS.eventsCleared;
    if (change !== undefined && change.node === undefined) return false;
    from = change?.node === undefined ? after : change.node.modifiedIndex + 1;
    return true;
  });
}

/** The first change of any of the files from an index on; undefined: none for some time. */
export async function nextChange(
  client: EtcdClient,
  natives: readonly string[],
  from: number,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  const stop = new AbortController();
  const end = () => stop.abort();
  signal.addEventListener('abort', end);
  const waits = natives.map((native) =>
    client.poll(2 * client.watchMs, stop.signal, (member, limits) =>
      member.wait(client.layout.key(native), { from }, limits),
    ),
  );
  try {
    return await Promise.race([...waits, client.sleep(client.watchMs, stop.signal).then(() => undefined)]);
  } finally {
    signal.removeEventListener('abort', end);
    stop.abort();
    for (const wait of waits) wait.catch(() => {});
  }
}
