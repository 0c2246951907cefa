import { checkStoredPath } from '../topo/checks.js';
import type { CallOptions, Connection, Value } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { classify, type KindRow } from '../topo/kinds.js';
import { baseName } from '../topo/paths.js';
import { GLOBAL, type Topology } from '../topo/topology.js';

/** A path that is to be written, and what is there now. */
export interface Target {
  readonly topology: Topology;
  readonly store: Connection;
  /** `global`, or the cell in whose store the path is. */
  readonly scope: string;
  readonly path: string;
  readonly row: KindRow;
  /** The names in the path, by what the kind's pattern calls them: `keyspace`, `shard`, `cell`, `alias` … */
  readonly names: Readonly<Record<string, string>>;
  /** Undefined: there is no record. */
  readonly before: Value | undefined;
}

/** Where a record is, of a store that is open. */
export type TargetPlace = Pick<Target, 'topology' | 'store' | 'scope' | 'path'>;

/**
 * Reads what is at a path. InvalidPath; Guard for what no command writes by its path: entries of locks and elections, what
 * belongs to a session or lease, records of this tool.
 */
export async function readTarget(place: TargetPlace, options: CallOptions): Promise<Target> {
  const { store, scope, path } = place;
  checkStoredPath(store, path, 'record');
  const before = await find(store, path, options);
  const reason = untouchable(place, before?.ephemeral === true);
  if (reason !== undefined) throw refused(reason, store, path);
  return { ...place, before, ...kindOf(scope, path) };
}

/** What a record at a path is, one that belongs to no session or lease, and the names in the path. */
export function kindOf(scope: string, path: string): Pick<Target, 'row' | 'names'> {
  const row = classify(storeKind(scope), path, false);
  return { row, names: namesIn(row.pattern, path) };
}

/** Which of the two kinds of stores a scope is. */
export function storeKind(scope: string): 'global' | 'cell' {
  return scope === GLOBAL ? 'global' : 'cell';
}

/** Why no command writes or deletes a record of a store by its path, and what does; undefined when one may. */
export function untouchable(
  { store, scope, path }: Omit<TargetPlace, 'topology'>,
  ephemeral: boolean,
): { readonly what: string; readonly hint: string } | undefined {
  // Where a lock is one record of a fixed name, a plain record of that name keeps others from locking.
  const plain = baseName(path) === store.capabilities.lockRecord;
  const kinds = [ephemeral, ephemeral || plain].map((owned) => classify(storeKind(scope), path, owned).kind);
  if (kinds.includes('Lock'))
    return {
      what: 'an entry of a lock',
      hint: 'topo2topo locks list shows who holds it, locks break frees it',
    };
  switch (kinds[0]) {
    case 'Election':
      return {
        what: 'an entry of an election',
        hint: 'stop the process that leads: its entry goes away by itself; for an orphan, topo2topo locks break',
      };
    case 'Ephemeral':
      return {
        what: 'owned by a session or lease',
        hint: 'stop the process that owns it: it goes away by itself; for a lock, topo2topo locks break',
      };
    case 'Control':
      return { what: 'a record of this tool', hint: 'the command that made it takes it away' };
    default:
      return undefined;
  }
}

/** Guard, for what {@link untouchable} names. */
export function refused(
  { what, hint }: { readonly what: string; readonly hint: string },
  store: Connection,
  path: string,
): TopologyError {
  return new TopologyError(ErrorCode.Guard, `this is ${what}, which is not written by its path`, {
    path,
    store: store.store,
    hint,
  });
}

function namesIn(pattern: string, path: string): Record<string, string> {
  const segments = path.split('/');
  const names: Record<string, string> = {};
  for (const { name, at } of placesIn(pattern)) {
    const segment = segments[at];
    if (segment !== undefined) names[name] = segment;
  }
  return names;
}

const placesOf = new Map<string, readonly { readonly name: string; readonly at: number }[]>();

/** Where a pattern of the table of kinds has which names. Every record of every scan may be asked for. */
function placesIn(pattern: string) {
  let places = placesOf.get(pattern);
  if (places === undefined) {
    places = pattern.split('/').flatMap((part, at) => {
      const name = /^\{(.+)\}$/.exec(part)?.[1];
      return name === undefined ? [] : [{ name, at }];
    });
    placesOf.set(pattern, places);
  }
  return places;
}
