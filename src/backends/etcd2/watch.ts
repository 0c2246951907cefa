import type { IEvent, IKeyValue, IWatchCreateRequest } from 'etcd3';
import type { CallLimits } from '../../topo/call-options.js';
import type { CallOptions, SyncedEvent, WatchEvent } from '../../topo/connection.js';
import { followPasses } from '../../topo/follow.js';
import { type EventQueue, watchEvents } from '../../topo/queue.js';
import type { EtcdClient } from './client.js';
import { toValue } from './file.js';
import { scan } from './scan.js';

export function watch(client: EtcdClient, path: string, options?: CallLimits): AsyncIterable<WatchEvent> {
  return watchEvents(client.context, options, path, (queue) => {
    const key = client.keys.key(path);
    /** Mod revision of the state delivered last; null for absent. */
    let last: string | null | undefined;
    const deliver = (kv: IKeyValue | undefined) => {
      const state = kv?.mod_revision ?? null;
      if (state === last) return;
      last = state;
      queue.push(recordEvent(client, path, kv), path);
    };
    return follow(client, queue, path, {
      range: { key },
      read: async (signal) => {
        const { kvs, header } = await client.read('range', { key }, path, { signal });
        deliver(kvs[0]);
        return BigInt(header.revision);
      },
      apply: ({ type, kv }) => deliver(isDelete(type) ? undefined : kv),
    });
  });
}

export function watchRecursive(
  client: EtcdClient,
  prefix: string,
  options?: CallOptions,
): AsyncIterable<WatchEvent | SyncedEvent> {
  return watchEvents<WatchEvent | SyncedEvent>(client.context, options, prefix, (queue) => {
    /** Versions of the states delivered last. */
    const known = new Map<string, string>();
    let synced = false;
    const remove = (path: string) => {
      if (known.delete(path)) queue.push(recordEvent(client, path, undefined), path);
    };
    return follow(client, queue, prefix, {
      range: client.keys.below(prefix),
      read: async (signal) => {
        const gone = new Set(known.keys());
        let shown: bigint | undefined;
        for await (const page of scan(client, prefix, { signal })) {
          for (const { path, ...value } of page.records) {
            gone.delete(path);
            if (known.get(path) === value.version.token) continue;
            known.set(path, value.version.token);
            queue.push({ type: 'record', path, value }, path);
          }
          // Every page shows the revision of the first one's position.
          shown ??= page.position;
        }
        for (const path of gone) remove(path);
        if (!synced) queue.push({ type: 'synced' });
        synced = true;
        return shown ?? 0n;
      },
      apply: ({ type, kv }) => {
        const path = client.keys.path(kv.key);
        if (isDelete(type)) {
          remove(path);
        } else if (known.get(path) !== kv.mod_revision) {
          known.set(path, kv.mod_revision);
          queue.push(recordEvent(client, path, kv), path);
        }
      },
    });
  });
}

/** What is followed, and how its states are delivered. */
export interface Followed {
  readonly range: Pick<IWatchCreateRequest, 'key' | 'range_end'>;
  /** Delivers the present state where it differs from what was delivered; answers with its revision. */
  read(signal: AbortSignal): Promise<bigint>;
  apply(event: IEvent): void;
}

/**
 * Reads, then follows the changes from there. Whatever ends the stream (a dead or frozen server, a compaction, a lost
 * leader), it begins again with reading: that needs neither history nor a place to go on from.
 */
export function follow<T>(
  client: EtcdClient,
  queue: EventQueue<T>,
  path: string,
  followed: Followed,
): Promise<void> {
  return followPasses(client, queue, path, async ({ signal, alive }) => {
    const revision = await followed.read(signal);
    const request = { ...followed.range, start_revision: String(revision + 1n) };
    await client.watch(request, signal, (message) => {
      if (message.canceled) return false;
      if (message.created) alive();
      for (const event of message.events) followed.apply(event);
      return true;
    });
    return false;
  });
}

function recordEvent(client: EtcdClient, path: string, kv: IKeyValue | undefined): WatchEvent {
  return { type: 'record', path, value: kv === undefined ? undefined : toValue(client, kv) };
}

/** etcd3's types spell the types of events otherwise than they come. */
export function isDelete(type: string): boolean {
  return type.toLowerCase() === 'delete';
}
