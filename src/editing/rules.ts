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

/** What a rule is called, and by what name `lint` reports what it finds. */
export type RuleId =
  | 'key-range-empty'
  | 'shard-key-range'
  | 'tablet-key-range'
  | 'reference-key-range'
  | 'bad-alias'
  | 'illegal-name'
  | 'tablet-directory'
  | 'alias-mismatch'
  | 'wrong-cell'
  | 'replication-wrong-cell'
  | 'bad-port'
  | 'partition-cover'
  | 'cell-root'
  | 'vindex-unknown'
  | 'several-targets'
  | 'mirror-percent';

/** One rule: what it is called, and what it finds, if anything. */
export interface Rule {
  readonly id: RuleId;
  readonly find: (json: RecordPart['json'], whose: Whose) => Finding | readonly string[];
}

function rule(id: RuleId, find: Rule['find']): Rule {
  return { id, find };
}

/**
 * What Vitess takes for wrong, by message, wherever the message occurs. To add a rule, add it to its message. Elements of one
 * name twice are found by recordParts, and are not listed here.
 */
export const RULES: Readonly<Record<string, readonly Rule[]>> = {
  'topodata.KeyRange': [rule('key-range-empty', emptyRange)],
  'topodata.Shard': [
    rule('shard-key-range', ({ key_range }, { names }) => otherRange(names['shard'] ?? '', key_range)),
    rule('bad-alias', ({ primary_alias }) => badAlias(primary_alias)),
  ],
  'topodata.Shard.SourceShard': [
    rule('illegal-name', ({ keyspace }) => keyspaceName(keyspace)),
    rule('illegal-name', ({ shard }) => shardName(shard)),
  ],
  'topodata.Keyspace': [rule('illegal-name', ({ base_keyspace }) => keyspaceName(base_keyspace))],
  'topodata.Tablet': [
    rule('tablet-directory', (_, { names }) => badDirectory(names['alias'] ?? '')),
    rule('alias-mismatch', ({ alias }, { names }) => otherAlias(alias, names['alias'] ?? '')),
    rule('wrong-cell', ({ alias }, { names, scope }) =>
      aliasText(alias) === names['alias'] ? otherCell(alias, scope) : undefined,
    ),
    rule('illegal-name', ({ keyspace }) => keyspaceName(keyspace)),
    rule('illegal-name', ({ shard }) => shardName(shard)),
    rule('tablet-key-range', ({ shard, key_range }) =>
      text(shard) === '' ? undefined : otherRange(text(shard), key_range),
    ),
    rule('bad-port', ({ port_map }) => badPort(Object.values(object(port_map)))),
    rule('bad-port', ({ mysql_port }) => badPort([mysql_port ?? 0])),
  ],
  'topodata.ShardReplication.Node': [
    rule('bad-alias', ({ tablet_alias }) => badAlias(tablet_alias ?? {})),
    rule('replication-wrong-cell', ({ tablet_alias }, { scope }) =>
      badAlias(tablet_alias ?? {}) === undefined ? otherCell(tablet_alias, scope) : undefined,
    ),
  ],
  'topodata.SrvKeyspace.KeyspacePartition': [
    rule('partition-cover', ({ shard_references }) => brokenCover(list(shard_references))),
  ],
  'topodata.ShardReference': [
    rule('illegal-name', ({ name }) => neededShardName(name)),
    rule('reference-key-range', ({ name, key_range }) => otherRange(text(name), key_range)),
  ],
  'topodata.ShardTabletControl': [
    rule('illegal-name', ({ name }) => neededShardName(name)),
    rule('reference-key-range', ({ name, key_range }) => otherRange(text(name), key_range)),
  ],
  'topodata.CellInfo': [
    rule('cell-root', ({ root }) => (text(root) === '' ? 'the root is empty' : undefined)),
  ],
  'topodata.CellsAlias': [
    rule('illegal-name', (_, { names }) => thrown(() => checkCellName(names['alias'] ?? ''))),
    rule('illegal-name', ({ cells }) =>
      firstOf(list(cells).map((cell) => thrown(() => checkCellName(text(cell))))),
    ),
  ],
  'vschema.Keyspace': [
    rule('vindex-unknown', ({ tables, vindexes }) => lostVindexes(object(tables), object(vindexes))),
  ],
  'vschema.RoutingRule': [
    rule('several-targets', ({ from_table, to_tables }) =>
      list(to_tables).length > 1
        ? `the rule for ${text(from_table)} has several targets, which vtgate refuses`
        : undefined,
    ),
  ],
  'vschema.ShardRoutingRule': [
    rule('illegal-name', ({ from_keyspace }) => keyspaceName(from_keyspace)),
    rule('illegal-name', ({ to_keyspace }) => keyspaceName(to_keyspace)),
    rule('illegal-name', ({ shard }) => shardName(shard)),
  ],
  'vschema.KeyspaceRoutingRule': [
    rule('illegal-name', ({ from_keyspace }) =>
      keyspaceName(text(from_keyspace).replace(/@(replica|rdonly|primary)$/, '')),
    ),
    rule('illegal-name', ({ to_keyspace }) => keyspaceName(to_keyspace)),
  ],
  'vschema.MirrorRule': [
    rule('mirror-percent', ({ percent }) =>
      typeof percent === 'string' || Number(percent ?? 0) < 0 || Number(percent ?? 0) > 100
        ? `percent is ${percent}, and must be from 0 to 100`
        : undefined,
    ),
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

function badDirectory(directory: string): Finding {
  const wrong = thrown(() => parseTabletAlias(directory));
  if (wrong !== undefined) return wrong;
  const written = formatTabletAlias(parseTabletAlias(directory));
  return written === directory ? undefined : `Vitess writes this directory as ${written}`;
}

function otherAlias(alias: Json | undefined, directory: string): Finding {
  return badDirectory(directory) === undefined && aliasText(alias) !== directory
    ? `the alias is ${aliasText(alias)}, and the directory ${directory}`
    : undefined;
}

function otherCell(alias: Json | undefined, scope: string): Finding {
  const cell = text(object(alias)['cell']);
  return cell === scope ? undefined : `a tablet of cell ${cell || '(none)'} in the store of cell ${scope}`;
}

function badPort(ports: readonly Json[]): Finding {
  const bad = ports.find((port) => Number(port) < 0 || Number(port) > 65_535);
  return bad === undefined ? undefined : `${bad} is no port`;
}

function lostVindexes(tables: RecordPart['json'], vindexes: RecordPart['json']): string[] {
  return Object.entries(tables).flatMap(([table, json]) =>
    list(object(json)['column_vindexes'])
      .map((used) => text(object(used)['name']))
      .filter((name) => !Object.hasOwn(vindexes, name))
      .map((name) => `table ${table} uses the vindex ${name}, which is not defined`),
  );
}

function firstOf(findings: readonly Finding[]): Finding {
  return findings.find((finding) => finding !== undefined);
}
