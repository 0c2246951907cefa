import { readFields } from '../topo/codec.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { find, findDecodable } from '../topo/find.js';
import { formatTabletAlias } from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import { cellStores, type GraphOptions } from './rebuild.js';
import { tabletsOf } from './shard-graph.js';
import { list, property } from './shards.js';

/** Where a name leads that clients ask for in a cell. */
export interface Resolution {
  readonly cell: string;
  /** `<keyspace>.<shard>.<type>`, the type as it is called in the store. */
  readonly name: string;
  /** `host:port` of the tablets there. */
  readonly tablets: readonly string[];
  /** Why it leads nowhere, or what is wrong with a tablet that it leads to; one sentence without a full stop each. */
  readonly problems: readonly string[];
}

/** Names of the types that are served, as the old stores have them and as today’s. */
const TYPES: ReadonlyMap<number, readonly [then: string, now: string]> = new Map([
  [1, ['master', 'primary']],
  [2, ['replica', 'replica']],
  [3, ['rdonly', 'rdonly']],
]);
const PRIMARY = 1;
/** Ports that clients use, the newest first. */
const PORTS = ['grpc', 'vt'] as const;

interface Named {
  readonly cell: string;
  readonly store: Connection;
  readonly keyspace: string;
  readonly shard: string;
  readonly type: number;
}

/**
 * Follows every name of the serving graph of a keyspace as clients do: by the SrvKeyspace of their cell to a shard and a type; there, in stores of the retired
 * formats, by EndPoints (a master’s are in the cell that SrvShard names), and today by the Tablet records of the shard. Writes nothing. Corrupt, NoCell.
 */
export async function resolveNames(
  topology: Topology,
  keyspace: string,
  options: GraphOptions,
): Promise<Resolution[]> {
  const stores = await cellStores(topology, options);
  const found: Resolution[] = [];
  for (const { cell, store } of stores) {
    for (const { shard, type } of await namesIn(store, keyspace, options)) {
      const named = { cell, store, keyspace, shard, type };
      found.push(await resolve(topology, stores, named, options));
    }
  }
  return found;
}

async function namesIn(
  store: Connection,
  keyspace: string,
  options: CallOptions,
): Promise<{ readonly shard: string; readonly type: number }[]> {
  const record = await findDecodable(
    store,
    `keyspaces/${keyspace}/SrvKeyspace`,
    'topodata.SrvKeyspace',
    options,
  );
  if (record === undefined) return [];
  return list(readFields('topodata.SrvKeyspace', record.bytes)['partitions']).flatMap((partition) => {
    const type = Number(property(partition, 'served_type') ?? 0);
    if (!TYPES.has(type)) return [];
    return list(property(partition, 'shard_references')).map((reference) => ({
      shard: String(property(reference, 'name') ?? ''),
      type,
    }));
  });
}

async function resolve(
  topology: Topology,
  stores: readonly Pick<Named, 'cell' | 'store'>[],
  named: Named,
  options: CallOptions,
): Promise<Resolution> {
  const { cell, store, keyspace, shard, type } = named;
  const isOld = store.serving !== undefined;
  const word = TYPES.get(type)?.[isOld ? 0 : 1] ?? '';
  const path = `keyspaces/${keyspace}/shards/${shard}/Shard`;
  const record = await findDecodable(topology.global, path, 'topodata.Shard', options);
  const found =
    record === undefined
      ? { tablets: [], problems: ['there is no such shard'] }
      : isOld
        ? await byEndPoints(stores, named, word, options)
        : await byRecords(stores, named, record.bytes, options);
  return { cell, name: `${keyspace}.${shard}.${word}`, ...found };
}

type Found = Pick<Resolution, 'tablets' | 'problems'>;

async function byEndPoints(
  stores: readonly Pick<Named, 'cell' | 'store'>[],
  { cell, store, keyspace, shard, type }: Named,
  word: string,
  options: CallOptions,
): Promise<Found> {
  const dir = `ns/${keyspace}/${shard}`;
  const srvShard = await store.serving?.read(dir, options);
  const master =
    srvShard === undefined ? '' : textOf(readFields('topodata.SrvShard', srvShard.bytes), 'master_cell');
  const where = type === PRIMARY && master !== '' ? master : cell;
  const at = stores.find((each) => each.cell === where)?.store;
  if (at === undefined) return nowhere(`its master is in cell ${where}, which was not looked at`);
  const record = await at.serving?.read(`${dir}/${word}`, options);
  if (record === undefined) return nowhere(`cell ${where} has no EndPoints of it`);
  if (record.told?.unreadable !== undefined) return nowhere(record.told.unreadable.message);
  const entries = list(readFields('topodata.EndPoints', record.bytes)['entries']);
  if (entries.length === 0) return nowhere(`nobody is in its EndPoints in cell ${where}`);
  const parts = await Promise.all(
    entries.map(async (entry): Promise<Found> => {
      const alias = formatTabletAlias({ cell: where, uid: Number(property(entry, 'uid') ?? 0) });
      const tablet = await find(at, `tablets/${alias}/Tablet`, options);
      const place = addressIn(textOf(entry, 'host'), property(entry, 'port_map'));
      return {
        tablets: place === undefined ? [] : [place],
        problems: [
          ...(tablet === undefined ? [`${alias} has no Tablet record`] : []),
          ...(place === undefined ? [`${alias} has no port that clients use`] : []),
        ],
      };
    }),
  );
  return joined(parts);
}

async function byRecords(
  stores: readonly Pick<Named, 'cell' | 'store'>[],
  { cell, keyspace, shard, type }: Named,
  bytes: Uint8Array,
  options: CallOptions,
): Promise<Found> {
  const path = `keyspaces/${keyspace}/shards/${shard}/ShardReplication`;
  // A primary is looked for in every cell, others in the client's own.
  const cells = type === PRIMARY ? stores : stores.filter((each) => each.cell === cell);
  const parts = await Promise.all(
    cells.map(async ({ cell: of, store }): Promise<Found> => {
      const replication = await findDecodable(store, path, 'topodata.ShardReplication', options);
      const aliases = tabletsOf(of, replication?.bytes, { name: shard, bytes });
      return joined(await Promise.all(aliases.map((alias) => byTablet(store, alias, type, options))));
    }),
  );
  const found = joined(parts);
  return found.tablets.length + found.problems.length > 0
    ? found
    : nowhere('no tablet of this type is there');
}

async function byTablet(
  store: Connection,
  alias: string,
  type: number,
  options: CallOptions,
): Promise<Found> {
  const record = await findDecodable(store, `tablets/${alias}/Tablet`, 'topodata.Tablet', options);
  if (record === undefined) return { tablets: [], problems: [`${alias} has no Tablet record`] };
  const tablet = readFields('topodata.Tablet', record.bytes);
  if (Number(tablet['type'] ?? 0) !== type) return { tablets: [], problems: [] };
  const place = addressIn(String(tablet['hostname'] ?? ''), tablet['port_map']);
  return place === undefined
    ? nowhere(`${alias} has no host or no port that clients use`)
    : { tablets: [place], problems: [] };
}

function addressIn(host: string, ports: unknown): string | undefined {
  const port = PORTS.map((name) => Number(property(ports, name) ?? 0)).find((number) => number > 0);
  return host === '' || port === undefined ? undefined : `${host}:${port}`;
}

function joined(parts: readonly Found[]): Found {
  return {
    tablets: parts.flatMap(({ tablets }) => tablets),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

function nowhere(problem: string): Found {
  return { tablets: [], problems: [problem] };
}

function textOf(message: unknown, name: string): string {
  return String(property(message, name) ?? '');
}
