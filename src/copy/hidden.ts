import pLimit from 'p-limit';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { GLOBAL } from '../topo/topology.js';
import { DELETES } from './entries.js';
import type { CopyOptions } from './options.js';
import type { Part } from './parts.js';
import type { ScopePlan } from './plan.js';

/** How the parts of a tally that tell of a shard begin. */
const IN_CELLS = ['Tablet of ', 'ShardReplication of '];
const IN_GLOBAL = ['Shard of '];

/**
 * Records that the source does not list, and that the login may not read, as `scope:path`: Shards that cells tell of, and what is to be deleted.
 * Some stores leave out of a listing what may not be read, without a word (Consul before 1.11), and refuse it when it is asked for by name.
 */
export async function hiddenRecords(
  scopes: readonly ScopePlan[],
  parts: readonly Part[],
  options: CopyOptions,
): Promise<string[]> {
  const limit = pLimit(options.concurrency);
  const found = await Promise.all(
    scopes.map(async (plan) => {
      const part = parts.find(({ scope }) => scope === plan.scope);
      const deleted = [...plan.writes(DELETES)].map(({ path }) => path);
      const paths = [...deleted, ...(plan.scope === GLOBAL ? missingShards(scopes) : [])];
      if (part === undefined || paths.length === 0) return [];
      const from = await part.from();
      const hidden = await Promise.all(paths.map((path) => limit(() => isHidden(from, path, options))));
      return paths.filter((_, index) => hidden[index]).map((path) => `${plan.scope}:${path}`);
    }),
  );
  return found.flat();
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
