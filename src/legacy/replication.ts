import { decode, writeFields } from '../topo/codec.js';
import { formatTabletAlias, parseTabletAlias, type TabletAlias } from '../topo/names.js';
import type { Loss, Note } from '../topo/told.js';
import { aliasIn } from './alias-json.js';
import { FirstObject } from './first-object.js';
import { aliasesOf, type Link, readFirstReplication } from './first-replication.js';
import { isObject, readJsonText } from './json-text.js';
import type { OldRecord } from './places.js';
import { readOld } from './read.js';
import { reading } from './reading.js';

/** Where the old stores say which tablets a shard has. */
export interface ShardMembers {
  readonly keyspace: string;
  readonly shard: string;
  /** Of the Shard; undefined: it names none. */
  readonly primary: TabletAlias | undefined;
  /** Links of the ShardReplication of all cells. */
  readonly links: readonly Link[];
  /** Nodes nested below the shard, by the aliases from the top down to each. */
  readonly nested: readonly (readonly string[])[];
}

/** The replication graph of a shard. */
export interface ShardGraph {
  /** ShardReplication, by cell. */
  readonly records: ReadonlyMap<string, Uint8Array>;
  /** What the nested nodes say of who replicates from whom. Of links it is told with their record. */
  readonly losses: readonly Loss[];
  readonly notes: readonly Note[];
}

/**
 * ShardReplication of a shard of generation 1: all tablets that links and nested nodes name, parents and primary too, each in the record of its
 * own cell. Where the nested nodes have another tablet on top than the Shard's primary, a note says so; the Shard counts.
 */
export function shardReplication(members: ShardMembers): ShardGraph {
  const { keyspace, shard, primary, links, nested } = members;
  const path = `keyspaces/${keyspace}/shards/${shard}`;
  const nestedLinks = nested.map(linkOf);
  const alone: Link[] = primary === undefined ? [] : [{ alias: primary, parent: undefined }];
  const aliases = aliasesOf([...links, ...nestedLinks, ...alone]);
  const cells = [...new Set(aliases.map(({ cell }) => cell))];
  const records = new Map(
    cells.map((cell) => [cell, recordOf(aliases.filter((alias) => alias.cell === cell))]),
  );
  const losses = nestedLinks.flatMap(({ alias, parent }): Loss[] =>
    parent === undefined
      ? []
      : [{ kind: 'parent', path, field: formatTabletAlias(alias), value: formatTabletAlias(parent) }],
  );
  return { records, losses, notes: otherTops(path, primary, nestedLinks) };
}

const MESSAGE = 'topodata.ShardReplication';

/** ShardReplication that names tablets. */
function recordOf(aliases: readonly TabletAlias[]): Uint8Array {
  return writeFields(MESSAGE, { nodes: aliases.map((alias) => ({ tablet_alias: alias })) });
}

/** The links of a ShardReplication of either generation, whose losses {@link readOld} tells. Corrupt, naming the path. */
export function linksIn(record: OldRecord, value: Uint8Array): Link[] {
  const { bytes, generation } = readOld(record, value, { numbering: 'current' });
  if (generation === 1)
    return readFirstReplication(new FirstObject(readJsonText(value), '', reading(record.path, 'current')));
  const { nodes } = bytes === undefined ? {} : decode(MESSAGE, bytes).json;
  return (Array.isArray(nodes) ? nodes : []).flatMap((node): Link[] => {
    const alias = aliasIn(isObject(node) ? node['tablet_alias'] : undefined);
    return alias === undefined ? [] : [{ alias, parent: undefined }];
  });
}

function linkOf(aliases: readonly string[]): Link {
  const [alias = '', parent] = aliases.toReversed();
  return {
    alias: parseTabletAlias(alias),
    parent: parent === undefined ? undefined : parseTabletAlias(parent),
  };
}

function otherTops(path: string, primary: TabletAlias | undefined, nested: readonly Link[]): Note[] {
  const own = primary === undefined ? 'none' : formatTabletAlias(primary);
  const tops = nested
    .filter(({ parent }) => parent === undefined)
    .map(({ alias }) => formatTabletAlias(alias));
  return [...new Set(tops)].flatMap((top): Note[] =>
    top === own
      ? []
      : [{ path, field: top, text: `it is on top of the replication graph, and the primary is ${own}` }],
  );
}
