import { formatTabletAlias, type TabletAlias } from '../topo/names.js';
import type { FirstObject } from './first-object.js';

/** A tablet in the replication graph, and what it replicates from. */
export interface Link {
  readonly alias: TabletAlias;
  /** Undefined: it is the primary, or nothing says so. */
  readonly parent: TabletAlias | undefined;
}

/** The links of a ShardReplication of generation 1. Whom a tablet replicates from is a loss. */
export function readFirstReplication(replication: FirstObject): Link[] {
  const { path, losses } = replication.reading;
  const links = replication.objects('ReplicationLinks').flatMap((object): Link[] => {
    const parent = object.alias('Parent');
    const alias = object.alias('TabletAlias');
    object.rest();
    if (parent !== undefined)
      losses.push({ kind: 'parent', path, field: object.at('Parent'), value: formatTabletAlias(parent) });
    return alias === undefined ? [] : [{ alias, parent }];
  });
  replication.rest();
  return links;
}

/** All tablets that links name, each once, in the order of cells and uids. */
export function aliasesOf(links: readonly Link[]): TabletAlias[] {
  const named = links.flatMap(({ alias, parent }) => (parent === undefined ? [alias] : [alias, parent]));
  const byName = new Map(named.map((alias) => [formatTabletAlias(alias), alias]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, alias]) => alias);
}
