import { decode } from '../topo/codec.js';
import type { CallOptions, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../topo/errors.js';
import { find, readProblem } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import { formatTabletAlias } from '../topo/names.js';
import type { Cell, Topology } from '../topo/topology.js';
import { object, text } from './ranges.js';

/** A tablet, by its own record. */
export interface KnownTablet {
  /** Its directory: `zone1-0000000100`. */
  readonly alias: string;
  readonly keyspace: string;
  readonly shard: string;
}

/** All tablets of a topology, and what kept some from being seen. */
export interface KnownTablets {
  readonly tablets: readonly KnownTablet[];
  /** Cells that do not answer and records that do not decode, in a few words each. */
  readonly unseen: readonly string[];
}

/** What of a topology has to be known to judge a deletion. Everything is read once, when it is first asked for. */
export class Surroundings {
  readonly #topology: Topology;
  readonly #options: CallOptions;
  readonly #primaries = new Map<string, Promise<string | undefined>>();
  #tablets: Promise<KnownTablets> | undefined;

  constructor(topology: Topology, options: CallOptions) {
    this.#topology = topology;
    this.#options = options;
  }

  /** Alias of the primary that a shard names; undefined: none. */
  primaryOf(keyspace: string, shard: string): Promise<string | undefined> {
    const path = `keyspaces/${keyspace}/shards/${shard}/Shard`;
    const known = this.#primaries.get(path) ?? this.#readPrimary(path);
    this.#primaries.set(path, known);
    return known;
  }

  /** Names of the shards of a keyspace. */
  async shardsOf(keyspace: string): Promise<string[]> {
    return listed(this.#topology, `keyspaces/${keyspace}/shards`, this.#options);
  }

  tablets(): Promise<KnownTablets> {
    this.#tablets ??= this.#readTablets();
    return this.#tablets;
  }

  async #readPrimary(path: string): Promise<string | undefined> {
    const record = await find(this.#topology.global, path, this.#options);
    if (record === undefined || readProblem('topodata.Shard', record) !== undefined) return undefined;
    const { primary_alias } = decode('topodata.Shard', record.bytes).json;
    if (primary_alias === undefined) return undefined;
    const { cell, uid } = object(primary_alias);
    return formatTabletAlias({ cell: text(cell), uid: Number(uid ?? 0) });
  }

  async #readTablets(): Promise<KnownTablets> {
    const tablets: KnownTablet[] = [];
    const unseen: string[] = [];
    const cells = await unlessFailed(this.#topology.cells(this.#options), (error) => {
      unseen.push(error.message);
      return [];
    });
    for (const cell of cells)
      await unlessFailed(this.#readCell(cell, tablets, unseen), () => {
        unseen.push(`cell ${cell.name} does not answer`);
      });
    return { tablets, unseen };
  }

  async #readCell(cell: Cell, tablets: KnownTablet[], unseen: string[]): Promise<void> {
    const store = await this.#topology.cell(cell);
    for await (const { records } of store.scan('tablets', this.#options))
      for (const { path, ...value } of records) {
        if (classify('cell', path, value.ephemeral).kind !== 'Tablet') continue;
        const tablet = readTablet(path, value);
        if (tablet === undefined) unseen.push(`${path} does not decode`);
        else tablets.push(tablet);
      }
  }
}

/** What `work` gives, or what is made of its failure; an interrupt stays one. */
async function unlessFailed<T>(work: Promise<T>, otherwise: (error: TopologyError) => T): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isTopologyError(error) || error.code === ErrorCode.Interrupted) throw error;
    return otherwise(error);
  }
}

/** A tablet by its record; undefined when that does not decode. */
export function readTablet(
  path: string,
  value: Pick<Value, 'bytes' | 'told'> | undefined,
): KnownTablet | undefined {
  if (value === undefined || readProblem('topodata.Tablet', value) !== undefined) return undefined;
  const { json } = decode('topodata.Tablet', value.bytes);
  return {
    alias: path.split('/')[1] ?? '',
    keyspace: text(json['keyspace']),
    shard: text(json['shard']),
  };
}

/** Names in a directory of the global store; none when it is not there. */
export async function listed(topology: Topology, dir: string, options: CallOptions): Promise<string[]> {
  try {
    return await topology.global.listDir(dir, options);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  }
}
