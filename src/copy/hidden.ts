import pLimit from 'p-limit';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { GLOBAL } from '../topo/topology.js';
import type { CopyOptions } from './options.js';
import type { Part } from './parts.js';
import type { ScopePlan } from './plan.js';

/** How the parts of a tally that tell of a shard begin. */
const IN_CELLS = ['Tablet of ', 'ShardReplication of '];
const IN_GLOBAL = ['Shard of '];

/**
 * Shards of the source that cells tell of, that its global store does not list, and that the login may not read. Some stores leave out of a
 * listing what may not be read, without a word (Consul before 1.11), and refuse it when it is asked for by name.
 */
export async function hiddenShards(
  scopes: readonly ScopePlan[],
  global: Part,
  { signal, deadline, concurrency }: CopyOptions,
): Promise<string[]> {
  const listing = scopes.find(({ scope }) => scope === GLOBAL);
  if (listing === undefined) return [];
  const listed = shardsIn([listing], IN_GLOBAL);
  const missing = [
    ...shardsIn(
      scopes.filter((scope) => scope !== listing),
      IN_CELLS,
    ),
  ].filter((shard) => !listed.has(shard));
  if (missing.length === 0) return [];
  const from = await global.from();
  const limit = pLimit(concurrency);
  const isHidden = async (shard: string): Promise<boolean> => {
    const [, keyspace = '', name = ''] = /^(.*)\/([^/]*)$/.exec(shard) ?? [];
    try {
      await find(from, `keyspaces/${keyspace}/shards/${name}/Shard`, { signal, deadline });
      return false;
    } catch (error) {
      if (isTopologyError(error, ErrorCode.Unauthorized)) return true;
      // A tablet may say any name.
      if (isTopologyError(error, ErrorCode.InvalidPath)) return false;
      throw error;
    }
  };
  const hidden = await Promise.all(missing.map((shard) => limit(() => isHidden(shard))));
  return missing.filter((_, index) => hidden[index]);
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
