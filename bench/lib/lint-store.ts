import type { Stores } from '../../src/topo/backend.js';
import { CheckedConnection } from '../../src/topo/checked.js';
import { systemClock } from '../../src/topo/clock.js';
import { encode } from '../../src/topo/codec.js';
import type { Capabilities, Connection, ScanPage, StoredRecord } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { formatTabletAlias } from '../../src/topo/names.js';
import { GLOBAL } from '../../src/topo/topology.js';
import { Version } from '../../src/topo/version.js';

/** What a made-up topology holds. */
export interface Shape {
  readonly tablets: number;
  readonly keyspaces: number;
  readonly cells: readonly string[];
  /** Tablets of a shard in each cell. */
  readonly each: number;
}

/** Shards of each keyspace: a power of two, as key ranges are cut. */
export function shardsOf({ tablets, keyspaces, cells, each }: Shape): number {
  return 2 ** Math.round(Math.log2(tablets / (keyspaces * cells.length * each)));
}

const PAGE = 1_000;
const TERM = { seconds: '1760000000' };

/** A topology of which nothing is held: every record is made when it is read. */
export function madeUpStores(shape: Shape): Stores {
  const names = Array.from({ length: shape.keyspaces }, (_, k) => `k${String(k).padStart(5, '0')}`);
  const shards = cut(shardsOf(shape));
  const made = { shape, names, shards };
  return {
    open: async (_address, scope) => connection(scope, made),
    openNative: () => Promise.reject(new Error('no native view')),
    health: () => Promise.resolve(undefined),
    cellAddress: () => Promise.resolve(undefined),
  };
}

interface Made {
  readonly shape: Shape;
  readonly names: readonly string[];
  readonly shards: readonly MadeShard[];
}

interface MadeShard {
  readonly name: string;
  readonly range: { readonly start?: string; readonly end?: string };
}

function cut(shards: number): MadeShard[] {
  const at = (n: number) =>
    Math.floor((n * 0x1_0000) / shards)
      .toString(16)
      .padStart(4, '0');
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
  return Array.from({ length: shards }, (_, n) => {
    const [start, end] = [n === 0 ? '' : at(n), n === shards - 1 ? '' : at(n + 1)];
    const range = { ...(start && { start: base64(start) }), ...(end && { end: base64(end) }) };
    return { name: `${start}-${end}`, range };
  });
}

type Record = readonly [path: string, bytes: Uint8Array];

function* recordsOf(scope: string, made: Made): Generator<Record> {
  const { shape, names, shards } = made;
  if (scope === GLOBAL) {
    for (const cell of shape.cells)
      yield [
        `cells/${cell}/CellInfo`,
        encode('topodata.CellInfo', { server_address: 'made.example:2379', root: `/made/${cell}` }),
      ];
    for (const [k, keyspace] of names.entries()) {
      const dir = `keyspaces/${keyspace}`;
      yield [`${dir}/Keyspace`, encode('topodata.Keyspace', { durability_policy: 'none' })];
      yield [`${dir}/VSchema`, encode('vschema.Keyspace', { sharded: true })];
      for (const [s, { name, range }] of shards.entries())
        yield [
          `${dir}/shards/${name}/Shard`,
          encode('topodata.Shard', {
            primary_alias: { cell: shape.cells[0] ?? '', uid: uidOf(made, k, s, 0) },
            primary_term_start_time: TERM,
            key_range: range,
            is_primary_serving: true,
          }),
        ];
    }
    return;
  }
  for (const [k, keyspace] of names.entries())
    for (const [s, { name }] of shards.entries())
      yield [
        `keyspaces/${keyspace}/shards/${name}/ShardReplication`,
        encode('topodata.ShardReplication', {
          nodes: Array.from({ length: shape.each }, (_, n) => ({
            tablet_alias: { cell: scope, uid: uidOf(made, k, s, n) },
          })),
        }),
      ];
  const isFirst = scope === shape.cells[0];
  for (const [k, keyspace] of names.entries())
    for (const [s, { name, range }] of shards.entries())
      for (let n = 0; n < shape.each; n++) {
        const alias = { cell: scope, uid: uidOf(made, k, s, n) };
        const hostname = `tablet-${alias.uid}.${scope}.example.com`;
        const isPrimary = isFirst && n === 0;
        yield [
          `tablets/${formatTabletAlias(alias)}/Tablet`,
          encode('topodata.Tablet', {
            ...{ alias, hostname, keyspace, shard: name, key_range: range },
            ...{ mysql_hostname: hostname, mysql_port: 3306, port_map: { vt: 15_101, grpc: 15_999 } },
            type: isPrimary ? 'PRIMARY' : 'REPLICA',
            ...(isPrimary ? { primary_term_start_time: TERM } : {}),
          }),
        ];
      }
}

function uidOf({ shape, shards }: Made, k: number, s: number, n: number): number {
  return (k * shards.length + s) * shape.each + n;
}

const CAPABILITIES: Capabilities = {
  batch: { maxOps: 0, maxBytes: 0 },
  maxValueBytes: 0,
  maxPathBytes: Number.MAX_SAFE_INTEGER,
  history: false,
  watchRecursive: false,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  locks: 'none',
  fencing: false,
  seal: false,
  durable: true,
  readOnly: true,
};

function connection(scope: string, made: Made): Connection {
  const store = `made:${scope}`;
  const context = { store, clock: systemClock, defaultTimeoutMs: 60_000 };
  const never = (): never => {
    throw new TopologyError(ErrorCode.Unsupported, 'what is made up is only scanned', { store });
  };
  const stored = ([path, bytes]: Record): StoredRecord => ({
    ...{ path, bytes, version: Version.of(store, '1'), ephemeral: false },
  });
  const absent = (path: string) => new TopologyError(ErrorCode.NoNode, 'nothing was made up here', { path });
  const namesIn = (dir: string): string[] => {
    if (dir === 'keyspaces') return [...made.names];
    if (/^keyspaces\/[^/]+\/shards$/.test(dir)) return made.shards.map(({ name }) => name).sort();
    if (dir === 'cells') return [...made.shape.cells];
    throw absent(dir);
  };
  return new CheckedConnection({
    context,
    root: `/made/${scope}`,
    capabilities: CAPABILITIES,
    listDir: async (dir) => namesIn(dir),
    listDirFull: async (dir) =>
      namesIn(dir).map((name) => ({ name, type: 'directory' as const, ephemeral: false })),
    async get(path) {
      for (const record of recordsOf(scope, only(made, path))) {
        if (record[0] === path) return stored(record);
        if (record[0] > path) break;
      }
      throw absent(path);
    },
    async *scan(prefix): AsyncGenerator<ScanPage> {
      let records: StoredRecord[] = [];
      for (const record of recordsOf(scope, only(made, prefix))) {
        if (prefix !== '' && !record[0].startsWith(`${prefix}/`)) continue;
        records.push(stored(record));
        if (records.length < PAGE) continue;
        yield { records, position: 0n };
        records = [];
      }
      yield { records, position: 0n };
    },
    ...{ create: never, update: never, delete: never, write: never, watch: never, watchRecursive: never },
    ...{ acquire: never, lockQueue: never, leader: never, watchLeader: never },
    position: () => Promise.resolve(0n),
    identity: () => Promise.resolve({ servers: store, root: undefined }),
    close: () => Promise.resolve(),
  });
}

/** The keyspace in a path alone, so that reading it does not make all others. */
function only(made: Made, path: string): Made {
  const [, keyspace] = /^keyspaces\/([^/]+)/.exec(path) ?? [];
  if (keyspace === undefined) return made;
  // The numbers of tablets are of no use then.
  return { ...made, names: made.names.filter((name) => name === keyspace) };
}
