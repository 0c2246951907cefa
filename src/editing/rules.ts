import type { Json } from '../topo/codec-json.js';
import {
  checkCellName,
  checkKeyspaceName,
  checkShardName,
  formatTabletAlias,
  parseTabletAlias,
} from '../topo/names.js';
import type { RecordPart } from '../topo/parts.js';
import { brokenCover, emptyRange, type Finding, list, object, otherRange, text, thrown } from './ranges.js';
import type { Target } from './target.js';

/** What a rule may know of the record that a message is in. */
export type Whose = Pick<Target, 'scope' | 'names'>;

type Rule = (json: RecordPart['json'], whose: Whose) => Finding;

/**
 * What Vitess takes for wrong, by message, wherever the message occurs. To add a rule, add it to its message. Elements of one
 * name twice are found by duplicateElements, and are not listed here.
 */
export const RULES: Readonly<Record<string, readonly Rule[]>> = {
  'topodata.KeyRange': [emptyRange],
  'topodata.Shard': [
    ({ key_range }, { names }) => otherRange(names['shard'] ?? '', key_range),
    ({ primary_alias }) => badAlias(primary_alias),
  ],
  'topodata.Shard.SourceShard': [({ keyspace }) => keyspaceName(keyspace), ({ shard }) => shardName(shard)],
  'topodata.Keyspace': [({ base_keyspace }) => keyspaceName(base_keyspace)],
  'topodata.Tablet': [
    ({ alias }, { names, scope }) => otherAlias(alias, names['alias'] ?? '', scope),
    ({ keyspace }) => keyspaceName(keyspace),
    ({ shard }) => shardName(shard),
    ({ shard, key_range }) => (text(shard) === '' ? undefined : otherRange(text(shard), key_range)),
    ({ port_map }) => badPort(Object.values(object(port_map))),
    ({ mysql_port }) => badPort([mysql_port ?? 0]),
  ],
  'topodata.ShardReplication.Node': [
    ({ tablet_alias }) => badAlias(tablet_alias ?? {}),
    ({ tablet_alias }, { scope }) => otherCell(tablet_alias, scope),
  ],
  'topodata.SrvKeyspace.KeyspacePartition': [({ shard_references }) => brokenCover(list(shard_references))],
  'topodata.ShardReference': [
    ({ name }) => neededShardName(name),
    ({ name, key_range }) => otherRange(text(name), key_range),
  ],
  'topodata.ShardTabletControl': [
    ({ name }) => neededShardName(name),
    ({ name, key_range }) => otherRange(text(name), key_range),
  ],
  'topodata.CellInfo': [({ root }) => (text(root) === '' ? 'the root is empty' : undefined)],
  'topodata.CellsAlias': [
    (_, { names }) => thrown(() => checkCellName(names['alias'] ?? '')),
    ({ cells }) => firstOf(list(cells).map((cell) => thrown(() => checkCellName(text(cell))))),
  ],
  'vschema.Keyspace': [({ tables, vindexes }) => lostVindex(object(tables), object(vindexes))],
  'vschema.RoutingRule': [
    ({ from_table, to_tables }) =>
      list(to_tables).length > 1
        ? `the rule for ${text(from_table)} has several targets, which vtgate refuses`
        : undefined,
  ],
  'vschema.ShardRoutingRule': [
    ({ from_keyspace }) => keyspaceName(from_keyspace),
    ({ to_keyspace }) => keyspaceName(to_keyspace),
    ({ shard }) => shardName(shard),
  ],
  'vschema.KeyspaceRoutingRule': [
    ({ from_keyspace }) => keyspaceName(text(from_keyspace).replace(/@(replica|rdonly|primary)$/, '')),
    ({ to_keyspace }) => keyspaceName(to_keyspace),
  ],
  'vschema.MirrorRule': [
    ({ percent }) =>
      typeof percent === 'string' || Number(percent ?? 0) < 0 || Number(percent ?? 0) > 100
        ? `percent is ${percent}, and must be from 0 to 100`
        : undefined,
  ],
};

/** What must hold for the names in a path, by what the kind's pattern calls them. */
export const NAME_RULES: Readonly<Record<string, (name: string) => Finding>> = {
  keyspace: (name) => thrown(() => checkKeyspaceName(name)),
  shard: (name) => thrown(() => checkShardName(name)),
  cell: (name) => thrown(() => checkCellName(name)),
};

function keyspaceName(name: Json | undefined): Finding {
  return text(name) === '' ? undefined : thrown(() => checkKeyspaceName(text(name)));
}

function shardName(name: Json | undefined): Finding {
  return text(name) === '' ? undefined : neededShardName(name);
}

function neededShardName(name: Json | undefined): Finding {
  return thrown(() => checkShardName(text(name)));
}

/** Whether an alias, where there is one, cannot be a tablet's. */
function badAlias(alias: Json | undefined): Finding {
  return alias === undefined ? undefined : thrown(() => parseTabletAlias(aliasText(alias)));
}

function aliasText(alias: Json | undefined): string {
  const { cell, uid } = object(alias);
  return formatTabletAlias({ cell: text(cell), uid: Number(uid ?? 0) });
}

function otherAlias(alias: Json | undefined, directory: string, scope: string): Finding {
  const wrong = thrown(() => parseTabletAlias(directory));
  if (wrong !== undefined) return wrong;
  if (formatTabletAlias(parseTabletAlias(directory)) !== directory)
    return `Vitess writes this directory as ${formatTabletAlias(parseTabletAlias(directory))}`;
  if (aliasText(alias) !== directory)
    return `the alias is ${aliasText(alias)}, and the directory ${directory}`;
  return otherCell(alias, scope);
}

function otherCell(alias: Json | undefined, scope: string): Finding {
  const cell = text(object(alias)['cell']);
  return cell === scope ? undefined : `a tablet of cell ${cell || '(none)'} in the store of cell ${scope}`;
}

function badPort(ports: readonly Json[]): Finding {
  const bad = ports.find((port) => Number(port) < 0 || Number(port) > 65_535);
  return bad === undefined ? undefined : `${bad} is no port`;
}

function lostVindex(tables: RecordPart['json'], vindexes: RecordPart['json']): Finding {
  for (const [table, json] of Object.entries(tables))
    for (const used of list(object(json)['column_vindexes'])) {
      const name = text(object(used)['name']);
      if (!Object.hasOwn(vindexes, name))
        return `table ${table} uses the vindex ${name}, which is not defined`;
    }
  return undefined;
}

function firstOf(findings: readonly Finding[]): Finding {
  return findings.find((finding) => finding !== undefined);
}
