import type { CallOptions, IdentityOptions } from '../../topo/connection.js';
import { type StoreIdentity, witnessed } from '../../topo/identity.js';
import type { Pair } from './answers.js';
import type { ConsulClient } from './client.js';
import { plainHead } from './keys.js';
import { find, proveReadable } from './transaction.js';

/** Most datacenters are called `dc1`; indexes at which their records came to be tell them apart. */
export async function identity(
  client: ConsulClient,
  { witness, ...options }: IdentityOptions,
): Promise<StoreIdentity> {
  const about = witness ?? '';
  const [own = ''] = await client.read(about, options, (member, limits) => member.datacenters(limits));
  const found = await (witness === undefined ? first(client, options) : find(client, witness, options));
  return {
    servers: `Consul datacenter ${own}`,
    root: found && witnessed(client.keys.path(found.key), found.createIndex),
  };
}

/** The first record below the root: found by going down its directories, since a listing of all of it may be large. */
async function first(client: ConsulClient, options: CallOptions): Promise<Pair | undefined> {
  const head = client.keys.below('');
  let key = head;
  while (key.endsWith('/')) {
    const query = { key: plainHead(key), separator: '/' };
    const { items } = await client.read('', options, (member, limits) => member.keys(query, limits));
    const next = items.find((item) => item.startsWith(key) && item !== key);
    if (next === undefined) {
      await proveReadable(client, [client.keys.nobody('')], '', options);
      return undefined;
    }
    key = next;
  }
  return find(client, key.slice(head.length), options, '');
}
