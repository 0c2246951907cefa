import { rangesEqual } from '../graph/key-range.js';
import { property, readShard } from '../graph/shards.js';
import { type Change, cellStore } from '../topo/changes.js';
import { decode, encode, reencode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { CallOptions, Value } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import {
  checkKeyspaceName,
  checkShardName,
  formatTabletAlias,
  keyRangeOfShard,
  type TabletAlias,
} from '../topo/names.js';
import type { Topology } from '../topo/topology.js';
import { planMissingKeyspace, timeJson } from './keyspace.js';
import { exists, findGlobal, findLocal, globalChange, missing, shardPath, tabletPath } from './records.js';
import { isNamed, planAddReplication, planRemoveReplication } from './replication.js';
import { keyRangeJson, newShard } from './shard.js';

/** A tablet as InitTablet is told of it. */
export interface TabletSpec {
  readonly alias: TabletAlias;
  readonly keyspace: string;
  readonly shard: string;
  /** Name of a tablet type: PRIMARY, REPLICA … */
  readonly type: string;
  readonly hostname: string;
  /** By protocol: vt, grpc. */
  readonly ports: Readonly<Record<string, number>>;
  readonly mysqlHostname: string;
  /** 0: none. */
  readonly mysqlPort: number;
  /** Empty: named after the keyspace. */
  readonly dbNameOverride: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Options of {@link planInitTablet}. */
export interface TabletOptions extends CallOptions {
  /** Replace the record of a tablet of this alias. */
  readonly allowUpdate: boolean;
  /** Replace it when it is of another shard, too. */
  readonly allowDifferentShard: boolean;
  /** Let the tablet be the primary of a shard that has another. */
  readonly allowPrimaryOverride: boolean;
  /** Make keyspace, empty VSchema and shard when they are missing. */
  readonly parent: boolean;
  /** Milliseconds since the epoch: when the term of a primary begins. */
  readonly now: number;
}

/**
 * What InitTablet writes: Tablet, and its entry in the cell's ShardReplication; for a primary also its alias and term in
 * Shard, where the running tablet would put them. InvalidPath for an illegal name; NoCell; NoNode for an unknown shard; NodeExists;
 * Guard where the options do not allow what is there to be overridden.
 */
export async function planInitTablet(
  topology: Topology,
  spec: TabletSpec,
  options: TabletOptions,
): Promise<Change[]> {
  const { alias, keyspace } = spec;
  checkKeyspaceName(keyspace);
  checkShardName(spec.shard);
  // Tablets name shards of key ranges in lower case.
  const shard = spec.shard.includes('-') ? spec.shard.toLowerCase() : spec.shard;
  const path = tabletPath(alias);
  const existing = await findLocal(topology, alias.cell, path, TABLET, options);
  const isPrimary = spec.type === 'PRIMARY' || spec.type === 'MASTER';
  const hasTerm = isPrimary && topology.global.capabilities.form === undefined;
  const term: JsonObject = hasTerm ? { primary_term_start_time: timeJson(options.now) } : {};
  const above = await planShard(topology, { ...spec, shard }, isPrimary ? term : undefined, options);
  const moved = existing === undefined ? [] : await planReplaced(topology, spec, shard, existing, options);
  const after = encode(TABLET, { ...tabletJson(spec, shard), ...term });
  const node = await planAddReplication(topology, { alias, keyspace, shard }, options);
  return [...above, { scope: alias.cell, path, before: existing, after }, ...moved, ...node];
}

const TABLET = 'topodata.Tablet';

function tabletJson(spec: TabletSpec, shard: string): JsonObject {
  return {
    alias: { ...spec.alias },
    hostname: spec.hostname,
    port_map: { ...spec.ports },
    keyspace: spec.keyspace,
    shard,
    ...keyRangeJson(shard),
    type: spec.type,
    db_name_override: spec.dbNameOverride,
    tags: { ...spec.tags },
    mysql_hostname: spec.mysqlHostname,
    mysql_port: spec.mysqlPort,
  };
}

/** Changes above the tablet. `term`: of a primary, with the name of its field. */
async function planShard(
  topology: Topology,
  { alias, keyspace, shard }: TabletSpec,
  term: JsonObject | undefined,
  options: TabletOptions,
): Promise<Change[]> {
  const path = shardPath(keyspace, shard);
  const before = await findGlobal(topology, path, 'topodata.Shard', options);
  // The rebuilds of the time of the retired formats go by the cells in the Shard.
  const cellsWith = (cells: readonly string[]): JsonObject =>
    topology.global.capabilities.form === undefined || cells.includes(alias.cell)
      ? {}
      : { cells: [...cells, alias.cell] };
  const primary = term === undefined ? {} : { primary_alias: { ...alias }, ...term };
  if (before === undefined) {
    if (!options.parent)
      throw missing(
        topology,
        path,
        `there is no shard ${keyspace}/${shard}`,
        'make it with CreateKeyspace and CreateShard, or add -parent',
      );
    const keyspaces = await planMissingKeyspace(topology, keyspace, { ...options, vschema: true });
    const made = { ...(await newShard(topology, keyspace, shard, options)), ...cellsWith([]), ...primary };
    return [...keyspaces, globalChange(path, undefined, encode('topodata.Shard', made))];
  }
  const { keyRange, cells } = readShard({ name: shard, bytes: before.bytes });
  if (!rangesEqual(keyRange, keyRangeOfShard(shard)))
    throw new TopologyError(
      ErrorCode.Guard,
      `shard ${keyspace}/${shard} has another key range than its name`,
      {
        path,
        store: topology.global.store,
        hint: 'repair the Shard record first',
      },
    );
  if (term !== undefined) checkOverride(topology, path, before, alias, options);
  const fields = { ...cellsWith(cells), ...primary };
  if (Object.keys(fields).length === 0) return [];
  const after = reencode('topodata.Shard', before.bytes, (json) => ({ ...json, ...fields }));
  return [globalChange(path, before, after)];
}

function checkOverride(
  topology: Topology,
  path: string,
  shard: Value,
  alias: TabletAlias,
  { allowPrimaryOverride }: TabletOptions,
): void {
  const named = decode('topodata.Shard', shard.bytes).json['primary_alias'];
  const cell = property(named, 'cell');
  if (typeof cell !== 'string' || isNamed(named, alias) || allowPrimaryOverride) return;
  const uid = Number(property(named, 'uid') ?? 0);
  throw new TopologyError(
    ErrorCode.Guard,
    `the shard has another primary: ${formatTabletAlias({ cell, uid })}`,
    {
      path,
      store: topology.global.store,
      hint: 'to override it, add -allow_master_override',
    },
  );
}

/** What follows from replacing a tablet's record: its entry in another shard goes. */
async function planReplaced(
  topology: Topology,
  { alias, keyspace }: TabletSpec,
  shard: string,
  existing: Value,
  options: TabletOptions,
): Promise<Change[]> {
  const path = tabletPath(alias);
  const { store } = await cellStore(topology, alias.cell, options);
  if (!options.allowUpdate)
    throw exists(
      store,
      path,
      `there is a tablet ${formatTabletAlias(alias)} already`,
      'to replace its record, add -allow_update',
    );
  const { json } = decode(TABLET, existing.bytes);
  const [oldKeyspace, oldShard] = [String(json['keyspace'] ?? ''), String(json['shard'] ?? '')];
  if (oldKeyspace === keyspace && oldShard === shard) return [];
  if (!options.allowDifferentShard)
    throw new TopologyError(ErrorCode.Guard, `the tablet is of shard ${oldKeyspace}/${oldShard}`, {
      path,
      store,
      hint: 'delete it first, or add -allow_different_shard',
    });
  return planRemoveReplication(topology, { alias, keyspace: oldKeyspace, shard: oldShard }, options);
}
