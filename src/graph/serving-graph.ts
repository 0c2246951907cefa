import { fieldsOrProblem } from '../topo/codec.js';
import type { CallOptions } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import type { Topology } from '../topo/topology.js';
import { type ServingFlag, servingFlags } from './serving.js';
import { list } from './shards.js';

const NO_GRAPH: ReadonlyMap<string, Uint8Array> = new Map();
const SHARD = 'topodata.Shard';

/** What the records of a topology tell of the serving flags of its shards, as {@link servingFlags} has it, and what somebody said. */
export class ServingGraph {
  readonly #topology: Topology;
  readonly #said: ReadonlyMap<string, boolean>;
  /** SrvKeyspaces of the keyspaces that need them, by cell. */
  #graphs: ReadonlyMap<string, ReadonlyMap<string, Uint8Array>> = new Map();
  #shards: readonly (readonly [path: string, bytes: Uint8Array])[] = [];
  /** Names of all shards, by keyspace, those included whose records cannot be read. */
  #names: ReadonlyMap<string, ReadonlySet<string>> = new Map();

  /** `said`: whether shards serve, by `keyspace/shard`; it counts for more than what records tell. */
  constructor(topology: Topology, said: ReadonlyMap<string, boolean> = new Map()) {
    this.#topology = topology;
    this.#said = said;
  }

  /** Reads Shards, and the SrvKeyspaces of those keyspaces in which a Shard does not tell by itself. Fails as the stores do. */
  async read(call: CallOptions): Promise<void> {
    const { global } = this.#topology;
    const shards: [string, Uint8Array][] = [];
    const names = new Map<string, Set<string>>();
    for await (const { records } of global.scan('keyspaces', call))
      for (const { path, bytes, ephemeral, told } of records) {
        if (classify('global', path, ephemeral).kind !== 'Shard') continue;
        const { keyspace, shard } = placeOf(path);
        names.set(keyspace, (names.get(keyspace) ?? new Set()).add(shard));
        if (told?.unreadable === undefined) shards.push([path, bytes]);
      }
    const silent = shards.filter(([, bytes]) => servedTypes(bytes).length === 0);
    const keyspaces = [...new Set(silent.map(([path]) => placeOf(path).keyspace))];
    const cells = keyspaces.length === 0 ? [] : await this.#topology.cells(call);
    this.#graphs = new Map(
      await Promise.all(
        keyspaces.map(async (keyspace) => {
          const found = await Promise.all(cells.map((cell) => this.#graphIn(cell, keyspace, call)));
          return [keyspace, new Map(found.flat())] as const;
        }),
      ),
    );
    this.#shards = shards;
    this.#names = names;
  }

  async #graphIn(
    cell: Parameters<Topology['cell']>[0],
    keyspace: string,
    call: CallOptions,
  ): Promise<[string, Uint8Array][]> {
    const record = await find(await this.#topology.cell(cell), `keyspaces/${keyspace}/SrvKeyspace`, call);
    const isUsable =
      record !== undefined &&
      record.told?.unreadable === undefined &&
      typeof fieldsOrProblem('topodata.SrvKeyspace', record.bytes) !== 'string';
    return isUsable ? [[cell.name, record.bytes]] : [];
  }

  /** What is to be said of the flag of a Shard by its path; undefined: it is set, or the record does not decode. */
  flagOf(path: string, bytes: Uint8Array): ServingFlag | undefined {
    if (typeof fieldsOrProblem(SHARD, bytes) === 'string') return undefined;
    const { keyspace, shard } = placeOf(path);
    const graphs = this.#graphs.get(keyspace) ?? NO_GRAPH;
    const [flag] = servingFlags([{ name: shard, bytes }], graphs, this.#names.get(keyspace));
    const said = this.#said.get(`${keyspace}/${shard}`);
    if (flag === undefined || said === undefined) return flag;
    return { shard, serving: said, from: undefined, reason: 'as it was said' };
  }

  /** Shards of which nothing tells, as `keyspace/shard`. */
  silent(): string[] {
    return this.#shards
      .filter(([path, bytes]) => {
        const flag = this.flagOf(path, bytes);
        return flag !== undefined && flag.serving === undefined;
      })
      .map(([path]) => nameOf(path));
  }

  /** What was said of shards that there are not, as `keyspace/shard`. */
  unknown(): string[] {
    const known = new Set(this.#shards.map(([path]) => nameOf(path)));
    return [...this.#said.keys()].filter((name) => !known.has(name));
  }
}

function servedTypes(bytes: Uint8Array): unknown[] {
  const fields = fieldsOrProblem(SHARD, bytes);
  return typeof fields === 'string' ? [] : list(fields['served_types']);
}

function nameOf(path: string): string {
  const { keyspace, shard } = placeOf(path);
  return `${keyspace}/${shard}`;
}

/** Of the path of a Shard record. */
function placeOf(path: string): { readonly keyspace: string; readonly shard: string } {
  const [, keyspace = '', , shard = ''] = path.split('/');
  return { keyspace, shard };
}
