import { Etcd3 } from 'etcd3';
import { storesFor } from '../../src/cli/stores.js';
import { applyCopy, planCopy } from '../../src/copy/copy.js';
import { addressFromTriple, parseAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { encode } from '../../src/topo/codec.js';
import { GLOBAL, Topology } from '../../src/topo/topology.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';

/** Where a run reads and writes. */
export interface Place {
  readonly zookeeper: string;
  readonly etcd: string;
  /** Prefix of everything that this run writes to etcd. */
  readonly root: string;
}

const CELL = 'zone1';
const SOURCE_GLOBAL = '/bench/global';
const SOURCE_CELL = `/bench/${CELL}`;
const SETTINGS = {
  clock: systemClock,
  random: Math.random,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
};

const CONNECTIONS = 4;
const READS_IN_FLIGHT = 128;
const OPS_PER_TXN = 128;
const TXNS_IN_FLIGHT = 8;

/** What can be measured; `plant` makes the source. */
export const CONTENDERS = { plant, copy, floor } as const;
export type ContenderName = keyof typeof CONTENDERS;

async function plant(place: Place, records: number): Promise<void> {
  const stores = storesFor(SETTINGS, 'write');
  const global = await stores.open(addressFromTriple('zk2', place.zookeeper, SOURCE_GLOBAL));
  await global.create(
    `cells/${CELL}/CellInfo`,
    encode('topodata.CellInfo', { server_address: place.zookeeper, root: SOURCE_CELL }),
  );
  await global.close();
  const cell = await stores.open(addressFromTriple('zk2', place.zookeeper, SOURCE_CELL));
  for (let first = 1; first <= records; first += 100) {
    const uids = Array.from({ length: Math.min(100, records - first + 1) }, (_, i) => first + i);
    await cell.write(
      uids.map((uid) => ({ type: 'create', path: `tablets/${alias(uid)}/Tablet`, bytes: tablet(uid) })),
    );
  }
  await cell.close();
}

/** The project's own copy, as the command runs it. */
async function copy(place: Place, records: number): Promise<void> {
  const open = (address: string, access: 'read' | 'write') =>
    Topology.open({ global: parseAddress(address), stores: storesFor(SETTINGS, access) });
  const source = await open(`zk2://${place.zookeeper}${SOURCE_GLOBAL}`, 'read');
  const destination = await open(`etcd2://${place.etcd}${place.root}/${GLOBAL}`, 'write');
  const rule = { given: new Map(), root: `${place.root}/{cell}` };
  const options = { source, destination, rule, concurrency: 4 };
  const { written } = await applyCopy(await planCopy(options), options);
  await Promise.all([source.close(), destination.close()]);
  if (written !== records + 1) throw new Error(`${written} records written, ${records + 1} expected`);
}

/** The same clients, no logic: list, read in pipelines, put in full transactions. */
async function floor(place: Place, records: number): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => connectOwnClient({ servers: [place.zookeeper] })),
  );
  const etcd = new Etcd3({
    hosts: `http://${place.etcd}`,
    grpcOptions: { 'grpc.max_receive_message_length': -1 },
  });
  const { children } = await first(clients).getChildren(`${SOURCE_CELL}/tablets`);
  const read: { key: Buffer; value: Buffer }[] = [];
  const names = children.values();
  await Promise.all(
    clients.flatMap((client) =>
      Array.from({ length: READS_IN_FLIGHT }, async () => {
        for (const name of names) {
          const { data } = await client.getData(`${SOURCE_CELL}/tablets/${name}/Tablet`);
          read.push({
            key: Buffer.from(`${place.root}/${CELL}/tablets/${name}/Tablet`),
            value: data ?? Buffer.alloc(0),
          });
        }
      }),
    ),
  );
  if (read.length !== records) throw new Error(`${read.length} records read, ${records} expected`);
  let next = 0;
  await Promise.all(
    Array.from({ length: TXNS_IN_FLIGHT }, async () => {
      while (next < read.length) {
        const batch = read.slice(next, next + OPS_PER_TXN);
        next += OPS_PER_TXN;
        await etcd.kv.txn({ compare: [], success: batch.map((put) => ({ request_put: put })), failure: [] });
      }
    }),
  );
  etcd.close();
  await Promise.all(clients.map((client) => client.close()));
}

function first(clients: readonly ZooKeeperClient[]): ZooKeeperClient {
  const [client] = clients;
  if (client === undefined) throw new Error('no client');
  return client;
}

function alias(uid: number): string {
  return `${CELL}-${String(uid).padStart(10, '0')}`;
}

/** About 300 bytes, as production tablets with their build tags have. */
function tablet(uid: number): Uint8Array {
  return encode('topodata.Tablet', {
    alias: { cell: CELL, uid },
    hostname: `tablet-${uid}.${CELL}.example.com`,
    port_map: { vt: 15_100, grpc: 16_100 },
    keyspace: 'customer',
    shard: '-80',
    type: 'REPLICA',
    tags: {
      build_host: 'builder.example.com',
      build_git_rev: 'c0ffee'.repeat(6),
      go_version: 'go1.24.1',
      version: '22.0.3',
    },
    mysql_hostname: `tablet-${uid}.${CELL}.example.com`,
    mysql_port: 17_100,
  });
}
