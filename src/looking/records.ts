import type { CallOptions, Connection, StoredRecord } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { KINDS, type Kind } from '../topo/kinds.js';
import { compareBytewise, isBelow } from '../topo/paths.js';
import { GLOBAL } from '../topo/topology.js';
import { kindOf } from './forms.js';

/** A store of a topology under its name: `global`, or a cell's. */
export interface Scope {
  readonly scope: string;
  readonly store: Connection;
}

/** A record, where it is, and of what kind. */
export interface PlacedRecord extends StoredRecord {
  readonly scope: string;
  readonly kind: Kind;
}

/** Which records: at and below `path`, and of these kinds (undefined: all). */
export interface Selection {
  readonly path: string;
  readonly kinds: ReadonlySet<Kind> | undefined;
}

/** The records of a store that are selected, in byte order of their paths, reading as little as the kinds allow. */
export async function* selectedRecords(
  { scope, store }: Scope,
  { path, kinds }: Selection,
  options: CallOptions,
): AsyncGenerator<PlacedRecord, void> {
  for (const place of placesOf(scope, path, kinds)) {
    for await (const record of recordsAt(store, place, options)) {
      const kind = kindOf(scope, record);
      if (kinds?.has(kind) !== false) yield { scope, kind, ...record };
    }
  }
}

async function* recordsAt(
  store: Connection,
  path: string,
  options: CallOptions,
): AsyncGenerator<StoredRecord, void> {
  const own = path === '' ? undefined : await find(store, path, options);
  if (own !== undefined) yield { path, ...own };
  if (own !== undefined && !store.capabilities.recordsWithChildren) return;
  for await (const { records } of store.scan(path, options)) yield* records;
}

/** Paths at and below which records of these kinds are; none of them is below another. */
function placesOf(scope: string, path: string, kinds: ReadonlySet<Kind> | undefined): string[] {
  if (kinds === undefined) return [path];
  if ([...kinds].some((kind) => !KINDS.some((row) => row.kind === kind))) return [path];
  const within = scope === GLOBAL ? 'global' : 'cell';
  const rows = KINDS.filter((row) => kinds.has(row.kind) && (row.scope === within || row.scope === 'any'));
  const heads = new Set(rows.map(({ pattern }) => pattern.split(/\/?(?:\{|\*\*)/)[0] ?? ''));
  const places = [...heads].flatMap((head) => {
    if (head === path || isBelow(head, path)) return [head];
    return isBelow(path, head) ? [path] : [];
  });
  return [...new Set(places)]
    .filter((place) => !places.some((other) => isBelow(place, other)))
    .sort(compareBytewise);
}
