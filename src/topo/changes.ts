import type { CallOptions, Connection, Value } from './connection.js';
import { ErrorCode, isTopologyError, TopologyError } from './errors.js';
import { find } from './find.js';
import { checkHeld, type LossKind } from './told.js';
import { GLOBAL, type Topology } from './topology.js';

/** One planned write: a record as it was found, and as it is to be. */
export interface Change {
  /** `global`, or the cell in whose store the record is. */
  readonly scope: string;
  readonly path: string;
  /** Undefined: there is none. */
  readonly before: Value | undefined;
  /** Undefined: it is deleted. */
  readonly after: Uint8Array | undefined;
}

/** A change that was made, or half made, as it was printed: what has to be known to put it back. */
export type PastChange = Omit<Change, 'before'> & { readonly before: Uint8Array | undefined };

/**
 * Makes changes, in their order; none where {@link checkTakes} refuses one. Each depends on the state that the plan saw: BadVersion, NodeExists or
 * NoNode when a record moved; the changes before it stay made.
 */
export async function applyChanges(
  topology: Topology,
  changes: readonly Change[],
  options: CallOptions,
): Promise<void> {
  const stores = await checkChanges(topology, changes, options);
  for (const change of changes)
    await writeRecord(stores.get(change.scope) ?? topology.global, change, options);
}

/** Refuses changes as {@link checkTakes} does, before the first is made, or only shown. Answers with the stores that they are made in, by scope. */
export async function checkChanges(
  topology: Topology,
  changes: readonly Change[],
  options: CallOptions,
): Promise<ReadonlyMap<string, Connection>> {
  const stores = await storesOf(topology, changes, options);
  for (const change of changes) checkTakes(stores.get(change.scope) ?? topology.global, change);
  return stores;
}

/** What a write is refused with whatever happens: as {@link checkFixed}, and NotHeld, Corrupt, InvalidPath and TooLarge by the form of the store. */
export function checkTakes(store: Connection, change: Omit<Change, 'scope'>): void {
  const { path, before, after } = change;
  if (after === undefined) {
    if (before?.stays !== undefined) throw untouched(store, path, before.stays);
    return;
  }
  checkFixed(store, change);
  try {
    const losses = store.capabilities.form?.hold(path, after).losses ?? [];
    checkHeld(losses, NOTHING_ACCEPTED, path, store.store);
  } catch (error) {
    throw isTopologyError(error) && error.store === undefined ? error.inStore(store.store) : error;
  }
}

const NOTHING_ACCEPTED: ReadonlySet<LossKind> = new Set();

/** Unsupported for a record that its store does not write over. */
export function checkFixed(store: Connection, { path, before }: Pick<Change, 'path' | 'before'>): void {
  if (before?.fixed !== undefined) throw untouched(store, path, before.fixed);
}

function untouched({ store }: Connection, path: string, why: string): TopologyError {
  const hint = 'write it with the tools of its time, or copy the topology to a store of today first';
  return new TopologyError(ErrorCode.Unsupported, why, { path, store, hint });
}

/**
 * What puts changes back, the last one first; nothing for one that was never made, or is put back already. Guard when
 * somebody changed a record afterwards.
 */
export async function planUndo(
  topology: Topology,
  past: readonly PastChange[],
  options: CallOptions,
): Promise<Change[]> {
  const stores = await storesOf(topology, past, options);
  const changes: Change[] = [];
  for (const { scope, path, before, after } of past.toReversed()) {
    const store = stores.get(scope) ?? topology.global;
    const now = await find(store, path, options);
    if (same(now?.bytes, before)) continue;
    if (!same(now?.bytes, after)) throw changedSince(store, path);
    changes.push({ scope, path, before: now, after: before });
  }
  return changes;
}

function changedSince(store: Connection, path: string): TopologyError {
  return new TopologyError(ErrorCode.Guard, 'the record was changed by somebody else since', {
    path,
    store: store.store,
    hint: 'look at it, and put back what is missing by hand',
  });
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}

async function storesOf(
  topology: Topology,
  changes: readonly { readonly scope: string }[],
  options: CallOptions,
): Promise<Map<string, Connection>> {
  const stores = new Map([[GLOBAL, topology.global]]);
  for (const { scope } of changes)
    if (!stores.has(scope)) stores.set(scope, await cellStore(topology, scope, options));
  return stores;
}

/**
 * The local store of a cell, also of one that has no CellInfo any more but whose address the caller gave. NoCell, with the cells
 * that there are; Unavailable …
 */
export async function cellStore(topology: Topology, name: string, options: CallOptions): Promise<Connection> {
  const cells = await topology.cells(options);
  const cell = cells.find((one) => one.name === name);
  if (cell !== undefined) return topology.cell(cell);
  const given = await topology.addressWithoutCellInfo(name);
  if (given?.source === 'given') return topology.cell(given);
  throw noCell(
    topology,
    name,
    cells.map((one) => one.name),
  );
}

/** NoCell, with the cells that there are. */
export function noCell(topology: Topology, name: string, known: readonly string[]): TopologyError {
  return new TopologyError(ErrorCode.NoCell, `the topology has no cell ${name}`, {
    store: topology.global.store,
    hint: known.length === 0 ? 'it has no cells at all' : `it has ${known.join(', ')}`,
  });
}

/**
 * Brings a record from one state to another: creates, replaces or deletes it. BadVersion, NodeExists or NoNode when it is not
 * in the state `before`. Undefined: there is none.
 */
export async function writeRecord(
  store: Connection,
  change: {
    readonly path: string;
    readonly before: Value | undefined;
    readonly after: Uint8Array | undefined;
  },
  { signal, deadline }: CallOptions,
): Promise<void> {
  const { path, before, after } = change;
  const call = { signal, deadline };
  if (after === undefined) {
    if (before !== undefined) await store.delete(path, before.version, call);
  } else if (before === undefined) await store.create(path, after, call);
  else await store.update(path, after, before.version, call);
}
