import { backend } from '../../src/backends/zookeeper/index.js';
import type { StoreAddress } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import type { Connection, StoredRecord } from '../../src/topo/connection.js';
import type { Beside } from '../../src/topo/told.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import type { LegacyNode } from '../support/fixtures.js';
import { SETTINGS } from '../support/topologies.js';
import { plant } from './zk2-subject.js';

/** The store of a cell, or `global`, on a cluster. */
export function legacyAddress(server: string, cell: string): StoreAddress {
  return { implementation: 'zookeeper', server, root: `/zk/${cell}/vt` };
}

/** Opens that store. */
export function openLegacy(
  servers: string,
  cell: string,
  settings: Partial<ConnectSettings> = {},
): Promise<Connection> {
  return backend.connect(legacyAddress(servers, cell), { ...SETTINGS, ...settings });
}

/** A client of a cluster, for the time of `work`. */
export async function withClient<T>(
  servers: string,
  work: (client: ZooKeeperClient) => Promise<T>,
): Promise<T> {
  const client = await connectOwnClient({ servers: servers.split(',') });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

/** Leaves nothing but these znodes below `/zk`. */
export async function plantTree(servers: string, znodes: readonly LegacyNode[]): Promise<void> {
  await withClient(servers, async (client) => {
    await removeAll(client, '/zk');
    const above = znodes.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    for (const { path, value } of above) await plant(client, path, value);
  });
}

/** Removes a znode and all below it. */
export async function removeAll(client: ZooKeeperClient, path: string): Promise<void> {
  const { stat } = await client.exists(path);
  if (stat === undefined) return;
  const { children } = await client.getChildren(path);
  for (const name of children) await removeAll(client, `${path}/${name}`);
  await client.delete(path, -1);
}

/** All that a scan gives. */
export async function scanned(
  connection: Connection,
  prefix = '',
): Promise<{ records: StoredRecord[]; beside: Beside[] }> {
  const records: StoredRecord[] = [];
  const beside: Beside[] = [];
  for await (const page of connection.scan(prefix)) {
    records.push(...page.records);
    beside.push(...(page.beside ?? []));
  }
  return { records, beside };
}
