import { decode } from '../topo/codec.js';
import type { Json, JsonObject } from '../topo/codec-json.js';
import { isTopologyError } from '../topo/errors.js';
import { classify, type Kind } from '../topo/kinds.js';
import { formatTabletAlias } from '../topo/names.js';
import { aliasIn } from './alias-json.js';
import { isObject } from './json-text.js';
import type { Note } from './losses.js';
import type { TreeRecord } from './tree.js';

/**
 * What does not fit together in a topology: members of a shard without Tablet record, tablets that their shard does not count, primaries and
 * shards of the serving graph that are not there, and numbers that several tablets have. Nothing of it stops a reader; a cluster that
 * starts on it will not find what is missing. Records that do not decode are passed over.
 */
export function findOddities(records: readonly TreeRecord[]): Note[] {
  const placed = records.flatMap(decoded);
  const known: Known = {
    tablets: new Set(placed.flatMap(({ kind, names: [, alias = ''] }) => (kind === 'Tablet' ? [alias] : []))),
    shards: new Set(
      placed.flatMap(({ kind, names }) => (kind === 'Shard' ? [`${names[1]}/${names[3]}`] : [])),
    ),
    members: new Set(
      placed.flatMap((each) =>
        each.kind === 'ShardReplication'
          ? nodesOf(each.json).map((alias) => `${each.names[1]}/${each.names[3]} ${alias}`)
          : [],
      ),
    ),
  };
  return [...placed.flatMap((each) => oddities(each, known)), ...sharedNumbers(known.tablets)];
}

/** What there is: aliases, `keyspace/shard`, and `keyspace/shard alias`. */
interface Known {
  readonly tablets: ReadonlySet<string>;
  readonly shards: ReadonlySet<string>;
  readonly members: ReadonlySet<string>;
}

interface Decoded {
  readonly kind: Kind;
  readonly path: string;
  /** Segments of the path. */
  readonly names: readonly string[];
  readonly json: JsonObject;
}

function decoded({ scope, path, bytes }: TreeRecord): Decoded[] {
  const { kind, message } = classify(scope === 'global' ? 'global' : 'cell', path, false);
  if (message === null || !LOOKED_AT.has(kind)) return [];
  try {
    return [{ kind, path, names: path.split('/'), json: decode(message, bytes).json }];
  } catch (error) {
    if (isTopologyError(error)) return [];
    throw error;
  }
}

const LOOKED_AT: ReadonlySet<Kind> = new Set<Kind>(['Shard', 'ShardReplication', 'SrvKeyspace', 'Tablet']);

function oddities({ kind, path, names, json }: Decoded, { tablets, shards, members }: Known): Note[] {
  const note = (field: string, text: string): Note => ({ path, field, text });
  const keyspace = names[1] ?? '';
  switch (kind) {
    case 'ShardReplication':
      return nodesOf(json).flatMap((alias) =>
        tablets.has(alias) ? [] : [note('nodes', `${alias} has no Tablet record`)],
      );
    case 'Shard': {
      const [primary] = aliasText(json['primary_alias']);
      if (primary === undefined || tablets.has(primary)) return [];
      return [note('primary_alias', `${primary} has no Tablet record`)];
    }
    case 'SrvKeyspace': {
      const missing = referencesOf(json).filter((shard) => !shards.has(`${keyspace}/${shard}`));
      return [...new Set(missing)].map((shard) =>
        note('partitions', `there is no Shard ${keyspace}/${shard}`),
      );
    }
    default: {
      const shard = `${textOf(json['keyspace'])}/${textOf(json['shard'])}`;
      if (shard === '/') return [];
      if (!shards.has(shard)) return [note('shard', `there is no Shard ${shard}`)];
      return members.has(`${shard} ${keyspace}`)
        ? []
        : [note('shard', `no ShardReplication of ${shard} names it`)];
    }
  }
}

/** MySQL takes the number of a tablet for its server id, so no two tablets of a topology may share one. */
function sharedNumbers(aliases: ReadonlySet<string>): Note[] {
  const byNumber = new Map<number, string[]>();
  for (const alias of aliases) {
    const uid = Number(alias.slice(alias.lastIndexOf('-') + 1));
    byNumber.set(uid, [...(byNumber.get(uid) ?? []), alias]);
  }
  return [...byNumber.values()].flatMap((same): Note[] => {
    const [first = ''] = same;
    if (same.length === 1) return [];
    return [
      {
        path: `tablets/${first}/Tablet`,
        field: 'alias',
        text: `the tablets ${same.join(', ')} have one number`,
      },
    ];
  });
}

function nodesOf(json: JsonObject): string[] {
  return objects(json['nodes']).flatMap((node) => aliasText(node['tablet_alias']));
}

function referencesOf(json: JsonObject): string[] {
  return objects(json['partitions'])
    .flatMap((partition) => objects(partition['shard_references']))
    .map((reference) => textOf(reference['name']));
}

function objects(json: Json | undefined): JsonObject[] {
  return Array.isArray(json) ? json.filter(isObject) : [];
}

function textOf(json: Json | undefined): string {
  return typeof json === 'string' ? json : '';
}

function aliasText(json: Json | undefined): string[] {
  const alias = aliasIn(json);
  return alias === undefined ? [] : [formatTabletAlias(alias)];
}
