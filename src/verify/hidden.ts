import pLimit from 'p-limit';
import type { CallOptions, Connection } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { classify, KINDS } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import type { Narrowing } from './narrowing.js';

const READS_AT_A_TIME = 16;

/**
 * Asks for records by name, of stores whose listings may leave out what may not be read (`capabilities.leavesOut`): what both sides leave
 * out would be equal. Unauthorized where one may not be read.
 */
export async function askByName(
  stores: readonly Connection[],
  paths: readonly string[],
  call: CallOptions,
): Promise<void> {
  const limit = pLimit(READS_AT_A_TIME);
  const asked = stores.filter(({ capabilities }) => capabilities.leavesOut === true);
  await Promise.all(asked.flatMap((store) => paths.map((path) => limit(() => find(store, path, call)))));
}

/** A path in each place that a part has for records. */
export function placesOf(scope: string, { kinds, keyspaces }: Narrowing): string[] {
  // Whoever asks for some keyspaces need not be allowed to read the others.
  if (keyspaces !== undefined) return [];
  const here = scope === GLOBAL ? 'global' : 'cell';
  const rows = KINDS.filter((row) => row.scope === here && row.copied !== false);
  const asked = rows.filter(({ kind }) => kinds === undefined || kinds.has(kind));
  return [...new Set(asked.map(({ pattern }) => pattern.replace(/\{.*/, '*')))];
}

/** Paths of the records of keyspaces and shards that cells tell of, and of those that the global store lists. */
export class ToldByCells {
  readonly #read = new Map<string, ReadonlySet<string>>();

  /** Takes what {@link toldBy} says of all that a part holds, instead of what it held before. */
  take(scope: string, told: ReadonlySet<string>): void {
    this.#read.set(scope, told);
  }

  /**
   * Paths that a cell tells of, and that the global store does not list, as far as they are asked for; for the global store those that any cell
   * tells of. Whichever is read last asks for them: before the global store was read there are none.
   */
  unlisted(scope: string, { kinds, keyspaces }: Narrowing): string[] {
    const listed = this.#read.get(GLOBAL);
    if (listed === undefined) return [];
    const read = scope === GLOBAL ? [...this.#read.values()] : [this.#read.get(scope) ?? []];
    return [...new Set(read.flatMap((told) => [...told]))].filter(
      (path) =>
        !listed.has(path) &&
        (kinds === undefined || kinds.has(classify('global', path, false).kind)) &&
        (keyspaces === undefined || keyspaces.has(path.split('/')[1] ?? '')),
    );
  }
}

/** Path of the record of a keyspace or shard that a path in a part tells of. Nearly all tell of none, and are only looked at. */
export function toldBy(scope: string, path: string): string | undefined {
  if (scope === GLOBAL) return path.endsWith('/Keyspace') || path.endsWith('/Shard') ? path : undefined;
  const tells = path.endsWith('/SrvKeyspace') || path.endsWith('/ShardReplication');
  return tells ? path.replace(/Srv(?=Keyspace$)|Replication$/, '') : undefined;
}
