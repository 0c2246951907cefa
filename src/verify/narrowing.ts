import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { namesIn } from '../topo/find.js';
import { type Kind, needsCells } from '../topo/kinds.js';
import type { Beside } from '../topo/told.js';
import { GLOBAL } from '../topo/topology.js';

/** What a comparison is narrowed to; undefined: everything of that sort. */
export interface Narrowing {
  /** Parts: names of cells, and `global`. */
  readonly scopes?: ReadonlySet<string> | undefined;
  readonly kinds?: ReadonlySet<Kind> | undefined;
  /** Keyspaces, and nothing that belongs to none. */
  readonly keyspaces?: ReadonlySet<string> | undefined;
}

/** What a comparison was narrowed to, as reports and certificates have it. Absent: everything of that sort. */
export interface Selection {
  readonly scopes?: readonly string[] | undefined;
  readonly kinds?: readonly string[] | undefined;
  readonly keyspaces?: readonly string[] | undefined;
  /** Parts of either side that were not read at all. */
  readonly unread: readonly string[];
}

/** Whether a part is asked for, and may hold what is. */
export function isRead(scope: string, { scopes, kinds }: Narrowing): boolean {
  if (scopes !== undefined && !scopes.has(scope)) return false;
  return scope === GLOBAL || needsCells(kinds);
}

/** What a comparison was narrowed to, of a topology with these cells; undefined: it was not. */
export function selectionOf(narrowing: Narrowing, cells: readonly string[]): Selection | undefined {
  const { scopes, kinds, keyspaces } = narrowing;
  if ([scopes, kinds, keyspaces].every((each) => each === undefined)) return undefined;
  return {
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    ...(kinds === undefined ? {} : { kinds: [...kinds] }),
    ...(keyspaces === undefined ? {} : { keyspaces: [...keyspaces] }),
    unread: [GLOBAL, ...cells].filter((scope) => !isRead(scope, narrowing)),
  };
}

/** The narrowing that a selection was made by. */
export function narrowingOf({ scopes, kinds, keyspaces }: Omit<Selection, 'unread'>): Narrowing {
  const set = <T>(names: readonly T[] | undefined) => (names === undefined ? undefined : new Set(names));
  return { scopes: set(scopes), kinds: set(kinds as readonly Kind[] | undefined), keyspaces: set(keyspaces) };
}

/** Whether what was compared holds all that is asked for now. `selection` undefined: everything was. */
export function covers(selection: Selection | undefined, asked: Narrowing): boolean {
  if (selection === undefined) return true;
  const had = narrowingOf(selection);
  const isIn = (of: ReadonlySet<string> | undefined, all: ReadonlySet<string> | undefined) =>
    all === undefined || (of !== undefined && [...of].every((name) => all.has(name)));
  return (
    isIn(asked.scopes, had.scopes) && isIn(asked.kinds, had.kinds) && isIn(asked.keyspaces, had.keyspaces)
  );
}

/** Whether what a store holds beside records is asked for, too: where keyspaces are named, what is known to be theirs. */
export function isAskedBeside({ keyspace }: Beside, { keyspaces }: Pick<Narrowing, 'keyspaces'>): boolean {
  return keyspaces === undefined || (keyspace !== undefined && keyspaces.has(keyspace));
}

/** Refuses parts that neither side has: NoCell. */
export function checkScopes({ scopes }: Narrowing, cells: readonly string[]): void {
  const known = [GLOBAL, ...cells];
  const unknown = [...(scopes ?? [])].filter((scope) => !known.includes(scope));
  if (unknown.length === 0) return;
  throw new TopologyError(ErrorCode.NoCell, `neither side has cell ${unknown.join(', ')}`, {
    hint: `there are ${known.join(', ')}`,
  });
}

/** Refuses keyspaces of which no store has anything (Usage): a misspelt one would be equal, and copied, without anybody's noticing. */
export async function checkKeyspaces(
  { keyspaces }: Narrowing,
  stores: readonly Connection[],
  call: CallOptions,
): Promise<void> {
  if (keyspaces === undefined) return;
  const found = await Promise.all(stores.map((store) => namesIn(store, 'keyspaces', call)));
  const known = new Set(found.flat());
  const unknown = [...keyspaces].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  throw new TopologyError(ErrorCode.Usage, `neither side has keyspace ${unknown.join(', ')}`, {
    hint:
      known.size === 0 ? 'there are none in what was asked for' : `there are ${[...known].sort().join(', ')}`,
  });
}
