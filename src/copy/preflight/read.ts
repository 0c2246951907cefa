import pLimit from 'p-limit';
import type { Clock } from '../../topo/clock.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import type { NativeStore } from '../../topo/native.js';
import { parentPath } from '../../topo/paths.js';
import { type Cell, GLOBAL, type Topology } from '../../topo/topology.js';
import { probe, probeFile } from './probe.js';
import type { ScopeReading, ServersReading, Side, SideReading } from './reading.js';
import { survey } from './survey.js';

/** What to read of a side, and how. */
export interface ReadOptions {
  readonly side: Side;
  readonly topology: Topology;
  readonly cells: readonly Cell[];
  /** Whether to try writing. */
  readonly probes: boolean;
  readonly lockTtlMs?: number | undefined;
  readonly clock: Clock;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** One store of a side. */
interface Target {
  readonly scope: string;
  readonly cell: Cell | undefined;
}

/** Reads a side: its servers, its records, and, if asked, whether it can be written to. Stores that fail are told as such. */
export async function readSide(options: ReadOptions): Promise<SideReading> {
  const { side, topology, cells, lockTtlMs, concurrency } = options;
  const targets: Target[] = [
    { scope: GLOBAL, cell: undefined },
    ...cells.map((cell) => ({ scope: cell.name, cell })),
  ];
  const limit = pLimit(concurrency);
  // All of them before anything is written: what one makes would be there for another.
  const roots = await Promise.all(targets.map((target) => limit(() => existingRoot(target, options))));
  const [servers, scopes] = await Promise.all([
    readServers(options),
    Promise.all(targets.map((target, i) => limit(() => readScope(target, roots[i], options)))),
  ]);
  return { side, address: topology.address, cells, scopes, servers, lockTtlMs };
}

/** How the servers of a side are, each set of them asked once. */
export async function readServers({
  side,
  topology,
  cells,
}: Pick<ReadOptions, 'side' | 'topology' | 'cells'>): Promise<ServersReading[]> {
  const sets = new Map<string, { scopes: string[]; cell: Cell | undefined }>([
    [topology.address.server, { scopes: [GLOBAL], cell: undefined }],
  ]);
  for (const cell of cells) {
    const known = sets.get(cell.address.server);
    if (known === undefined) sets.set(cell.address.server, { scopes: [cell.name], cell });
    else known.scopes.push(cell.name);
  }
  const read = [...sets.values()].map(async ({ scopes, cell }) => {
    const health = await topology.health(cell);
    return health === undefined ? [] : [{ side, scopes, address: cell?.address ?? topology.address, health }];
  });
  return (await Promise.all(read)).flat();
}

/**
 * The root of a part, or as much of it as there is, where something is to be written that must not stay: ZooKeeper's directories above
 * a record are made with it, and removed with it, but for the root. Undefined where nothing is written, or directories are no nodes.
 */
async function existingRoot({ cell }: Target, { topology, probes, signal }: ReadOptions) {
  const { implementation, root } = cell?.address ?? topology.address;
  if (!probes || implementation !== 'zk2') return undefined;
  try {
    const native = await topology.openNative(cell);
    try {
      let there = root;
      while (there !== '' && !(await isThere(native, there, signal))) there = parentPath(there);
      return there;
    } finally {
      await native.close();
    }
  } catch (error) {
    // Whoever reads the part meets the same, and tells it.
    if (!isTopologyError(error) || signal.aborted) throw error;
    return undefined;
  }
}

async function isThere(native: NativeStore, path: string, signal: AbortSignal): Promise<boolean> {
  try {
    await native.read(path, { signal });
    return true;
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return false;
    // It is there, and hides what it holds.
    if (isTopologyError(error, ErrorCode.Unauthorized)) return true;
    throw error;
  }
}

async function readScope(
  { scope, cell }: Target,
  existing: string | undefined,
  options: ReadOptions,
): Promise<ScopeReading> {
  const { side, topology, clock, signal, probes } = options;
  const address = cell?.address ?? topology.address;
  const here = { side, scope, address };
  let store: Connection;
  try {
    store = cell === undefined ? topology.global : await topology.cell(cell);
    const { maxValueBytes, maxPathBytes, batch } = store.capabilities;
    const limits = { maxValueBytes, maxPathBytes, batch };
    const form = store.capabilities.form?.name;
    const read = { ...here, form, limits, survey: await survey(scope, store, clock, signal) };
    if (!probes) return read;
    if (address.implementation === 'file') return { ...read, probed: await probeFile(address) };
    const { root } = address;
    const isZooKeeper = address.implementation === 'zk2';
    const openNative = isZooKeeper ? () => topology.openNative(cell) : undefined;
    if (existing === undefined || existing === root)
      return { ...read, probed: await probe(store, '', clock, signal, openNative) };
    const above = await topology
      .cell({ name: scope, address: { ...address, root: existing } })
      .catch((error: unknown) => {
        if (!isTopologyError(error) || signal.aborted) throw error;
        return error;
      });
    if (isTopologyError(above)) return { ...read, probed: { write: above } };
    const below = root.slice(existing.length + 1);
    return { ...read, probed: await probe(above, below, clock, signal, openNative) };
  } catch (error) {
    if (!isTopologyError(error) || signal.aborted) throw error;
    return { ...here, failure: error };
  }
}
