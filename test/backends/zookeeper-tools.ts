import { afterAll, afterEach, beforeAll } from 'vitest';
import { backend } from '../../src/backends/zookeeper/index.js';
import type { StoreAddress } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import type { Connection, StoredRecord } from '../../src/topo/connection.js';
import type { Beside } from '../../src/topo/told.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { must } from '../conformance/tools.js';
import { clearZookeeper } from '../legacy/plant.js';
import { type Cluster, startZooKeeper } from '../servers/index.js';
import { SETTINGS } from '../support/topologies.js';

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
  return work(client).finally(() => client.close());
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

/** A server of a file's own, with stores of a topology that is empty at the beginning of each test. */
export function useLegacy(): {
  readonly servers: string;
  readonly client: ZooKeeperClient;
  readonly global: Connection;
  readonly nyc: Connection;
} {
  const used: { cluster?: Cluster; client?: ZooKeeperClient; global?: Connection; nyc?: Connection } = {};
  const servers = () => must(used.cluster, 'a server').servers;
  beforeAll(async () => {
    used.cluster = await startZooKeeper({ version: '3.8' });
    used.client = await connectOwnClient({ servers: servers().split(',') });
    used.global = await openLegacy(servers(), 'global');
    used.nyc = await openLegacy(servers(), 'nyc');
  }, 120_000);
  afterAll(async () => {
    await Promise.all([used.global?.close(), used.nyc?.close(), used.client?.close()]);
    await used.cluster?.stop();
  });
  afterEach(() => clearZookeeper(servers()));
  return {
    get servers() {
      return servers();
    },
    get client() {
      return must(used.client);
    },
    get global() {
      return must(used.global);
    },
    get nyc() {
      return must(used.nyc);
    },
  };
}
