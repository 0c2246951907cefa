import pLimit from 'p-limit';
import type { CallOptions, Connection } from '../topo/connection.js';
import { find } from '../topo/find.js';
import type { Pair } from '../topo/join.js';
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

/** Keyspaces and shards that cells tell of, and which of them the global store lists. */
export class ToldByCells {
  readonly #listed = new Set<string>();
  readonly #told = new Set<string>();

  /** Takes what was read of a part. */
  add(scope: string, pairs: readonly Pair[]): void {
    for (const { path } of pairs) {
      if (scope === GLOBAL) {
        if (path.endsWith('/Keyspace') || path.endsWith('/Shard')) this.#listed.add(path);
      } else if (path.endsWith('/SrvKeyspace') || path.endsWith('/ShardReplication'))
        this.#told.add(path.replace(/Srv(?=Keyspace$)|Replication$/, ''));
    }
  }

  /** Paths of the records that neither side lists, as far as they are asked for. */
  unlisted({ kinds, keyspaces }: Narrowing): string[] {
    return [...this.#told].filter(
      (path) =>
        !this.#listed.has(path) &&
        (kinds === undefined || kinds.has(classify('global', path, false).kind)) &&
        (keyspaces === undefined || keyspaces.has(path.split('/')[1] ?? '')),
    );
  }
}
