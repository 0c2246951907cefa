import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { compareBytewise } from '../topo/paths.js';
import { GLOBAL } from '../topo/topology.js';
import { placesOf } from '../verify/hidden.js';
import { DELETES } from './entries.js';
import type { Part, Selection } from './parts.js';
import type { ScopePlan } from './plan.js';

/** How the parts of a tally that tell of a shard begin. */
const IN_CELLS = ['Tablet of ', 'ShardReplication of '];
const IN_GLOBAL = ['Shard of '];

/** Records asked for at the same time, in each part. */
const WORKERS = 16;

/**
 * Records that the source does not list, and that the login may not read, as `scope:path`: Shards that cells tell of, what is to be deleted, and
 * whatever there may be in a place for records. Of stores that leave out of a listing what may not be read (`capabilities.leavesOut`); of others
 * it is known already.
 */
export async function hiddenRecords(
  scopes: readonly ScopePlan[],
  parts: readonly Part[],
  selection: Pick<Selection, 'kinds' | 'keyspaces' | 'paths'> & CallOptions,
): Promise<string[]> {
  const found = await Promise.all(
    scopes.map(async (plan) => {
      const from = await parts.find(({ scope }) => scope === plan.scope)?.from();
      if (from?.capabilities.leavesOut !== true) return [];
      const hidden: string[] = [];
      const paths = unlisted(plan, scopes, selection);
      const work = async (): Promise<void> => {
        for (const path of paths)
          if (await isHidden(from, path, selection)) hidden.push(`${plan.scope}:${path}`);
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
      return hidden.sort(compareBytewise);
    }),
  );
  return found.flat();
}

/** Paths of what a part of the source does not list, and may have all the same. */
function* unlisted(
  plan: ScopePlan,
  scopes: readonly ScopePlan[],
  selection: Parameters<typeof hiddenRecords>[2],
): Generator<string> {
  if (selection.paths === undefined) yield* placesOf(plan.scope, selection);
  for (const { path } of plan.writes(DELETES)) yield path;
  if (plan.scope === GLOBAL) yield* missingShards(scopes);
}

/** Paths of Shards that cells tell of and that the global store does not list. */
function missingShards(scopes: readonly ScopePlan[]): string[] {
  const isGlobal = ({ scope }: ScopePlan) => scope === GLOBAL;
  const listed = shardsIn(scopes.filter(isGlobal), IN_GLOBAL);
  const told = shardsIn(
    scopes.filter((scope) => !isGlobal(scope)),
    IN_CELLS,
  );
  return [...told]
    .filter((shard) => !listed.has(shard))
    .map((shard) => {
      const [, keyspace = '', name = ''] = /^(.*)\/([^/]*)$/.exec(shard) ?? [];
      return `keyspaces/${keyspace}/shards/${name}/Shard`;
    });
}

async function isHidden(from: Connection, path: string, { signal, deadline }: CallOptions): Promise<boolean> {
  try {
    await find(from, path, { signal, deadline });
    return false;
  } catch (error) {
    if (isTopologyError(error, ErrorCode.Unauthorized)) return true;
    // A tablet may say any name.
    if (isTopologyError(error, ErrorCode.InvalidPath)) return false;
    throw error;
  }
}

/** `keyspace/shard` of all shards that some parts of tallies are about. */
function shardsIn(scopes: readonly Pick<ScopePlan, 'tally'>[], beginnings: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const { tally } of scopes)
    for (const [part] of tally.entries()) {
      const beginning = beginnings.find((each) => part.startsWith(each));
      if (beginning !== undefined) found.add(part.slice(beginning.length));
    }
  return found;
}
