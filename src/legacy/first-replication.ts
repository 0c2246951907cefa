import { formatTabletAlias, type TabletAlias } from '../topo/names.js';
import type { Loss } from '../topo/told.js';
import type { FirstObject } from './first-object.js';

/** A tablet in the replication graph, and what it replicates from. */
export interface Link {
  readonly alias: TabletAlias;
  /** Undefined: it is the primary, or nothing says so. */
  readonly parent: TabletAlias | undefined;
}

/** The links of a ShardReplication of generation 1. Whom a tablet replicates from is a loss. */
export function readFirstReplication(replication: FirstObject): Link[] {
  const links = replication.objects('ReplicationLinks').flatMap((object): Link[] => {
    const parent = object.alias('Parent');
    const alias = object.alias('TabletAlias');
    object.rest();
    if (parent !== undefined) replication.reading.losses.push(parentLoss(object, 'Parent', parent));
    return alias === undefined ? [] : [{ alias, parent }];
  });
  replication.rest();
  return links;
}

/** That nothing says any more what a tablet replicates from. */
export function parentLoss(object: FirstObject, field: string, parent: TabletAlias): Loss {
  const { path } = object.reading;
  return { kind: 'parent', path, field: object.at(field), value: formatTabletAlias(parent) };
}

/** All tablets that links name, each once, in the order of cells and uids. */
export function aliasesOf(links: readonly Link[]): TabletAlias[] {
  const named = links.flatMap(({ alias, parent }) => (parent === undefined ? [alias] : [alias, parent]));
  const byName = new Map(named.map((alias) => [formatTabletAlias(alias), alias]));
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, alias]) => alias);
}
