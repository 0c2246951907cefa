import type { Clock } from '../../topo/clock.js';
import type { Connection } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { listed } from '../../topo/finding.js';
import { type Cell, GLOBAL, type Topology } from '../../topo/topology.js';
import type { CopyOptions } from '../options.js';
import type { Part } from '../parts.js';
import type { Plan, ScopePlan } from '../plan.js';
import { addresses } from './addresses.js';
import { capacity } from './capacity.js';
import { clocks } from './clocks.js';
import { contents } from './contents.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import { type Estimate, estimate, estimated } from './estimate.js';
import { journalFolder } from './journal.js';
import { locks, seals } from './locks.js';
import { operations } from './operations.js';
import { makePlan, objected, placeParts, transcodings } from './plan.js';
import { quorum } from './quorum.js';
import { reach } from './reach.js';
import { readSide } from './read.js';
import type { ScopeReading, Side, SideReading } from './reading.js';
import { askRights, type Refusal, rehearse } from './rehearse.js';
import { moveSettings } from './settings.js';
import type { Severity } from './table.js';
import { versions } from './versions.js';

/** Sides to which a record is written that is deleted again. */
export interface Probes {
  readonly source: boolean;
  readonly destination: boolean;
}

/** What to examine: both sides of a copy, or one alone. */
export interface Examination {
  readonly source?: Topology | undefined;
  readonly destination?: Topology | undefined;
  /** Sides that could not be opened, as far as they are known. */
  readonly unopened?: readonly SideReading[] | undefined;
  /** What would be copied and how; needed where there are both sides. */
  readonly copy?: CopyOptions | undefined;
  /** The copy's journal; undefined: it keeps none. */
  readonly journal?: string | undefined;
  /** Which sides to try writing to. */
  readonly probes: Probes;
  /** Of the destination's locks; see {@link SideReading.lockTtlMs}. */
  readonly lockTtlMs?: number | undefined;
  readonly clock: Clock;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/** Everything that was found. */
export interface Examined {
  readonly sides: readonly SideReading[];
  /** What is worst comes first. */
  readonly found: readonly Diagnosis[];
  readonly estimate: Estimate | undefined;
}

/** Finds out what can be known before a migration. Writes nothing but what {@link probe} deletes again. */
export async function examine(examination: Examination): Promise<Examined> {
  const { source, destination, copy } = examination;
  const placed = copy === undefined ? { parts: [], cells: [], found: [] } : await placeParts(copy);
  const found: Diagnosis[] = [...placed.found];
  const read = async (side: Side, topology: Topology | undefined, more: readonly Cell[]) => {
    if (topology === undefined) return [];
    const cells = await cellsOf(topology, side, found, examination.signal);
    const added = more.filter(({ name }) => !cells.some((cell) => cell.name === name));
    const moved = cells.map((cell) => more.find(({ name }) => name === cell.name) ?? cell);
    const probes = examination.probes[side];
    const lockTtlMs = side === 'destination' ? examination.lockTtlMs : undefined;
    return [
      await readSide({ ...examination, side, topology, cells: [...moved, ...added], probes, lockTtlMs }),
    ];
  };
  const sides = (
    await Promise.all([
      examination.unopened ?? [],
      read('source', source, []),
      read('destination', destination, placed.cells),
    ])
  )
    .flat()
    .sort((a, b) => SIDES.indexOf(a.side) - SIDES.indexOf(b.side));
  const isReadable = (scope: string) =>
    sides.every(({ scopes }) => scopes.find((each) => each.scope === scope)?.failure === undefined);
  const planned = copy === undefined ? undefined : await makePlan(placed, copy, isReadable);
  found.push(...(planned?.found ?? []));
  if (planned !== undefined) found.push(...(await rehearsed(planned.plan, placed.parts, sides, examination)));
  if (copy !== undefined && planned !== undefined)
    found.push(...objected(planned.plan, copy), ...transcodings(planned.plan));
  found.push(...sides.flatMap((side) => ofSide(side, planned?.plan, copy)), ...clocks(sides));
  found.push(...journalFolder(examination.journal));
  if (destination !== undefined && !examination.probes.destination)
    found.push(diagnose('probe-skipped', { side: 'destination' }, 'nothing was written'));
  if (source !== undefined && !examination.probes.source)
    found.push(diagnose('source-not-probed', { side: 'source' }, 'nothing was written'));
  const took = estimate(sides, planned?.plan, destination?.global.capabilities.batch.maxOps ?? 1);
  if (took !== undefined) found.push(estimated(took));
  return { sides, found: sorted(found), estimate: took };
}

/** What a plan writes that may not be written, though the store as a whole can. */
async function rehearsed(
  { scopes }: Plan,
  parts: readonly Part[],
  sides: readonly SideReading[],
  examination: Examination,
): Promise<Diagnosis[]> {
  if (!examination.probes.destination) return [];
  const read = sides.find(({ side }) => side === 'destination')?.scopes ?? [];
  const found = await Promise.all(
    scopes.map(async (plan) => {
      const part = parts.find(({ scope }) => scope === plan.scope);
      const reading = read.find(({ scope }) => scope === plan.scope);
      if (part === undefined || reading?.probed === undefined || reading.probed.write !== undefined)
        return [];
      const to = await part.to();
      const { implementation } = reading.address;
      if (implementation === 'file') return [];
      if (implementation === 'zk2' && !(await isThere(to, examination.signal))) return [];
      const refused = await rehearse(to, plan.writes(), examination);
      if (implementation === 'zk2') refused.push(...(await askedRights(reading, plan, examination)));
      const [first, ...more] = refused;
      if (first === undefined) return [];
      const others = more.length === 0 ? '' : `, and others: ${listed(more.map(({ path }) => path))}`;
      const place = { side: 'destination', scope: plan.scope, path: first.path } as const;
      return [diagnose('cannot-write', place, `${first.error.message} [${first.error.code}]${others}`)];
    }),
  );
  return found.flat();
}

/** What the store itself says of the rights to what is there already. */
async function askedRights(
  { scope, address }: ScopeReading,
  plan: ScopePlan,
  examination: Examination,
): Promise<Refusal[]> {
  const cell = scope === GLOBAL ? undefined : { name: scope, address };
  const native = await examination.destination?.openNative(cell).catch((error: unknown) => {
    if (!isTopologyError(error) || examination.signal.aborted) throw error;
    return undefined;
  });
  if (native === undefined) return [];
  try {
    return await askRights(native, plan.writes(), examination);
  } finally {
    await native.close();
  }
}

/** Whether a root is there: where it is not nothing below it has rights of its own, and what is tried would leave it behind. */
async function isThere(store: Connection, signal: AbortSignal): Promise<boolean> {
  try {
    await store.listDir('', { signal });
    return true;
  } catch (error) {
    if (!isTopologyError(error) || error.code === ErrorCode.Interrupted) throw error;
    return false;
  }
}

/** Everything that the reading of one side shows. Pure. */
function ofSide(reading: SideReading, plan: Plan | undefined, copy: CopyOptions | undefined): Diagnosis[] {
  const { side, scopes, servers } = reading;
  const toWrite = (parts: readonly string[]) =>
    (plan?.scopes ?? [])
      .filter(({ scope }) => side === 'destination' && parts.includes(scope))
      .flatMap(({ counts }) => [...counts.values()])
      .reduce((sum, { bytes }) => sum + bytes, 0);
  const overruled = copy?.overrules?.locks === true;
  return [
    ...reach(scopes),
    ...servers.flatMap((each) => [
      ...quorum(each),
      ...versions(each),
      ...capacity(each, toWrite(each.scopes)),
    ]),
    ...addresses(reading),
    ...scopes.flatMap((each) => [
      ...locks(each, overruled),
      ...seals(each),
      ...operations(each),
      // With a plan, its guard tells of the source's.
      ...contents(each).filter(
        ({ id }) => id !== 'other-cell' || side === 'destination' || plan === undefined,
      ),
    ]),
    ...moveSettings(reading),
  ];
}

async function cellsOf(
  topology: Topology,
  side: Side,
  found: Diagnosis[],
  signal: AbortSignal,
): Promise<Cell[]> {
  try {
    return await topology.cells({ signal });
  } catch (error) {
    if (!isTopologyError(error) || error.code === ErrorCode.Interrupted) throw error;
    // That it cannot be read is found with the store itself.
    if (error.code === ErrorCode.NoCell)
      found.push(diagnose('cell-unusable', { side, path: error.path }, error.message));
    return [];
  }
}

const SIDES: readonly Side[] = ['source', 'destination'];
const ORDER: readonly Severity[] = ['stop', 'warn', 'note'];

function sorted(found: readonly Diagnosis[]): Diagnosis[] {
  return found.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}
