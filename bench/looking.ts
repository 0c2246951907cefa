/**
 * `npm run bench -- looking [--records N] [--stores LIST] [--runs N] [--only PATTERN]`: plants a cell with N tablets in each store, then
 * runs the commands that look at it, each as a process of its own, as often as said. Prints for each the median of its time, less that
 * of a command that reads next to nothing: what is left is the looking, without starting Node and connecting.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { storesFor } from '../src/cli/stores.js';
import { parseAddress, type StoreAddress } from '../src/topo/address.js';
import { systemClock } from '../src/topo/clock.js';
import { encode } from '../src/topo/codec.js';
import { formatTabletAlias } from '../src/topo/names.js';
import { Topology } from '../src/topo/topology.js';
import { makeFolder, removeFolder, startConsul, startEtcd, startZooKeeper } from '../test/servers/index.js';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    stores: { type: 'string', default: 'zk2-3.8,zk2-3.9,etcd2,consul,file' },
    runs: { type: 'string', default: '3' },
    // A regular expression: the command lines to run.
    only: { type: 'string', default: '' },
  },
});
const CELL = 'zone1';
const SETTINGS = {
  clock: systemClock,
  random: Math.random,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 120_000,
};

interface Place {
  /** Of the global store. */
  readonly address: string;
  /** What the cell's CellInfo says. */
  readonly cell: { readonly server_address: string; readonly root: string };
  stop(): Promise<void>;
}

const STARTERS: Readonly<Record<string, () => Promise<Place>>> = {
  'zk2-3.8': () => zookeeper('3.8'),
  'zk2-3.9': () => zookeeper('3.9'),
  async etcd2() {
    const server = await startEtcd({ version: '3.5' });
    return placeOf('etcd2', server, '/bench/');
  },
  async consul() {
    const server = await startConsul({ version: '1.8', fsync: true });
    return placeOf('consul', server, 'bench/');
  },
  async file() {
    const folder = await makeFolder();
    return {
      address: `file:${join(folder, 'bench.topo')}`,
      cell: { server_address: '', root: '/' },
      stop: () => removeFolder(folder),
    };
  },
};

async function zookeeper(version: '3.8' | '3.9'): Promise<Place> {
  return placeOf('zk2', await startZooKeeper({ version, javaFlags: ['-Xmx2g'] }), '/bench/');
}

function placeOf(
  implementation: string,
  server: { readonly servers: string; stop(): Promise<void> },
  root: string,
): Place {
  return {
    address: `${implementation}://${server.servers.replaceAll('http://', '')}/bench/global`,
    cell: { server_address: server.servers, root: `${root}${CELL}` },
    stop: () => server.stop(),
  };
}

async function plant({ address, cell }: Place, records: number): Promise<void> {
  const global: StoreAddress = parseAddress(address);
  const topology = await Topology.open({ global, stores: storesFor(SETTINGS, 'write') });
  await topology.global.create(`cells/${CELL}/CellInfo`, encode('topodata.CellInfo', cell));
  const [found] = await topology.cells();
  if (found === undefined) throw new Error('the cell is not found');
  const store = await topology.cell(found);
  await store.create('keyspaces/commerce/SrvKeyspace', Buffer.alloc(200));
  const { maxOps, maxBytes } = store.capabilities.batch;
  const size = Math.min(maxOps, Math.floor(maxBytes / 1_000));
  for (let uid = 1; uid <= records; uid += size) {
    const uids = Array.from({ length: Math.min(size, records + 1 - uid) }, (_, i) => uid + i);
    await store.write(uids.map((each) => ({ type: 'create', path: pathOf(each), bytes: tablet(each) })));
  }
  await topology.close();
}

function pathOf(uid: number): string {
  return `tablets/${formatTabletAlias({ cell: CELL, uid })}/Tablet`;
}

function tablet(uid: number): Uint8Array {
  return encode('topodata.Tablet', {
    alias: { cell: CELL, uid },
    hostname: `tablet-${uid}.example.com`,
    mysql_hostname: `tablet-${uid}.example.com`,
    mysql_port: 3306,
    port_map: { vt: 15_000, grpc: 16_000 },
    keyspace: 'commerce',
    shard: '0',
    type: 'REPLICA',
    tags: { zone: CELL, version: '24.0.0', team: 'payments' },
  });
}

const COMMANDS: readonly (readonly string[])[] = [
  ['tree', '--depth', '2', '--cell', CELL],
  ['tree', '--depth', '2'],
  ['ls', 'tablets', '--cell', CELL],
  ['ls', '-d', 'tablets/zone1-00000000*', '--cell', CELL],
  ['cat', pathOf(77), '--cell', CELL, '--data-as-json'],
  ['stat', pathOf(77), '--cell', CELL],
  ['stat', 'tablets', '--cell', CELL],
  ['cat', 'tablets/zone1-000000007?/Tablet', '--cell', CELL, '--decode-proto'],
  ['find', '--kind', 'SrvKeyspace,SrvVSchema'],
  ['ls', '-l', 'tablets', '--cell', CELL],
  ['tree'],
  ['find', '--name', 'Tab*'],
  ['grep', 'tablet-777.example'],
];

async function timeOf(address: string, [command = '', ...rest]: readonly string[]): Promise<number> {
  const tool = join(import.meta.dirname, '../bin/topo2topo.js');
  const times: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    const started = performance.now();
    await promisify(execFile)(process.execPath, [tool, command, address, ...rest, '--timeout', '120'], {
      maxBuffer: 1 << 28,
    });
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

const only = new RegExp(values.only);
for (const name of values.stores.split(',')) {
  const starter = STARTERS[name];
  if (starter === undefined) throw new Error(`stores are ${Object.keys(STARTERS).join(', ')}`);
  const place = await starter();
  try {
    await plant(place, Number(values.records));
    const base = await timeOf(place.address, ['cat', `cells/${CELL}/CellInfo`]);
    process.stdout.write(`${name}, ${values.records} tablets: start ${(base / 1000).toFixed(2)} s\n`);
    for (const command of COMMANDS.filter((each) => only.test(each.join(' ')))) {
      const seconds = ((await timeOf(place.address, command)) - base) / 1000;
      process.stdout.write(`  ${seconds.toFixed(2).padStart(6)} s more  ${command.join(' ')}\n`);
    }
  } finally {
    await place.stop();
  }
}
