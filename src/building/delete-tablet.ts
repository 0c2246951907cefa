import { type Change, cellStore } from '../topo/changes.js';
import { decode, reencode } from '../topo/codec.js';
import type { CallOptions, Value } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { findDecodable } from '../topo/find.js';
import { formatTabletAlias, type TabletAlias } from '../topo/names.js';
import { termOf } from '../topo/term.js';
import type { Topology } from '../topo/topology.js';
import { timeJson } from './keyspace.js';
import { findGlobal, globalChange, shardPath, tabletPath } from './records.js';
import { isNamed, planRemoveReplication } from './replication.js';

/** Options of {@link planDeleteTablet}. */
export interface DeleteTabletOptions extends CallOptions {
  /** Delete the primary of a shard, too. */
  readonly allowPrimary: boolean;
  /** Milliseconds since the epoch: when the term without primary begins. */
  readonly now: number;
}

/** A tablet that is to be deleted. */
export interface TabletDeletion {
  /** In whose shard it is. */
  readonly keyspace: string;
  readonly shard: string;
  /** Whether it is the shard's primary: the shard is then to be locked while the changes are made. */
  readonly isPrimary: boolean;
  readonly changes: readonly Change[];
}

/**
 * What DeleteTablet deletes: Tablet, and its entry in ShardReplication; a primary also from Shard. NoCell; NoNode for an
 * unknown tablet; Guard for a primary, unless it is allowed.
 */
export async function planDeleteTablet(
  topology: Topology,
  alias: TabletAlias,
  options: DeleteTabletOptions,
): Promise<TabletDeletion> {
  const store = await cellStore(topology, alias.cell, options);
  const path = tabletPath(alias);
  const before = await findDecodable(store, path, 'topodata.Tablet', options);
  const name = formatTabletAlias(alias);
  if (before === undefined)
    throw new TopologyError(ErrorCode.NoNode, `there is no tablet ${name}`, {
      path,
      store: store.store,
      hint: 'ListAllTablets lists them',
    });
  const { json } = decode('topodata.Tablet', before.bytes);
  const [keyspace, shard] = [String(json['keyspace'] ?? ''), String(json['shard'] ?? '')];
  const record = await findGlobal(topology, shardPath(keyspace, shard), 'topodata.Shard', options);
  const isPrimary = record !== undefined && isPrimaryOf(record, before, alias);
  if (isPrimary && !options.allowPrimary)
    throw new TopologyError(ErrorCode.Guard, `tablet ${name} is the primary of ${keyspace}/${shard}`, {
      path,
      store: store.store,
      hint: 'make another tablet the primary first, or add -allow_primary',
    });
  const changes: Change[] = isPrimary ? planWithoutPrimary(keyspace, shard, record, alias, options.now) : [];
  changes.push({ scope: alias.cell, path, before, after: undefined });
  changes.push(...(await planRemoveReplication(topology, { alias, keyspace, shard }, options)));
  return { keyspace, shard, isPrimary, changes };
}

/** Whether a tablet that says it is the primary is the one that the Shard names, or one whose term is later. */
function isPrimaryOf(shard: Value, tablet: Value, alias: TabletAlias): boolean {
  const own = decode('topodata.Tablet', tablet.bytes).json;
  if (own['type'] !== 'PRIMARY') return false;
  const { primary_alias: named, primary_term_start_time: term } = decode('topodata.Shard', shard.bytes).json;
  return isNamed(named, alias) || termOf(own['primary_term_start_time']) > termOf(term);
}

function planWithoutPrimary(
  keyspace: string,
  shard: string,
  before: Value,
  alias: TabletAlias,
  now: number,
): Change[] {
  const after = reencode('topodata.Shard', before.bytes, ({ primary_alias: named, ...json }) =>
    isNamed(named, alias)
      ? { ...json, primary_term_start_time: timeJson(now) }
      : { ...json, ...(named === undefined ? {} : { primary_alias: named }) },
  );
  return Buffer.compare(after, before.bytes) === 0
    ? []
    : [globalChange(shardPath(keyspace, shard), before, after)];
}
