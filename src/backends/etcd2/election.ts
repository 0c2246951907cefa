import type { IKeyValue } from 'etcd3';
import type { CallOptions } from '../../topo/connection.js';
import type { LeaderEvent } from '../../topo/locks.js';
import { watchEvents } from '../../topo/queue.js';
import type { EtcdClient } from './client.js';
import { follow, isDelete } from './watch.js';

/** Id of the candidate whose key was written first. */
export async function leader(
  client: EtcdClient,
  dir: string,
  options: CallOptions,
): Promise<string | undefined> {
  const order = { limit: 1, sort_target: 'Mod', sort_order: 'Ascend' } as const;
  const { kvs } = await client.read('range', { ...client.keys.below(dir), ...order }, dir, options);
  return kvs[0]?.value.toString();
}

export function watchLeader(
  client: EtcdClient,
  dir: string,
  options: CallOptions | undefined,
): AsyncIterable<LeaderEvent> {
  return watchEvents<LeaderEvent>(client.context, options, dir, (queue) => {
    const range = client.keys.below(dir);
    /** The keys of the candidates by their names. */
    const candidates = new Map<string, IKeyValue>();
    /** Mod revision of the key that leads; null: nobody. */
    let last: string | null | undefined;
    const deliver = () => {
      let first: IKeyValue | undefined;
      for (const kv of candidates.values())
        if (first === undefined || BigInt(kv.mod_revision) < BigInt(first.mod_revision)) first = kv;
      const now = first?.mod_revision ?? null;
      if (now === last) return;
      last = now;
      queue.push({ type: 'leader', id: first?.value.toString() }, 'leader');
    };
    const put = (kv: IKeyValue) => candidates.set(nameOf(kv), kv);
    return follow(client, queue, dir, {
      range,
      read: async (signal) => {
        const { kvs, header } = await client.read('range', range, dir, { signal });
        candidates.clear();
        for (const kv of kvs) put(kv);
        deliver();
        return BigInt(header.revision);
      },
      apply: ({ type, kv }) => {
        if (isDelete(type)) candidates.delete(nameOf(kv));
        else put(kv);
        deliver();
      },
    });
  });
}

function nameOf({ key }: IKeyValue): string {
  return key.toString('latin1');
}
