import { applyCopy, type CopyResult, type PreparedCopy, planCopy } from '../copy/copy.js';
import { checkIdentities, identitiesOf, isStore } from '../copy/identities.js';
import { Journal } from '../copy/journal.js';
import type { JournalLock } from '../copy/journal-lock.js';
import type { CopyOptions } from '../copy/options.js';
import type { Part } from '../copy/parts.js';
import type { Plan } from '../copy/plan.js';
import { PlanComparison, PlanWriter, readPlan, type SavedPlan } from '../copy/plan-file.js';
import type { PlanHead } from '../copy/plan-schema.js';
import { formatAddress, parseAddress, type StoreAddress, storeName } from '../topo/address.js';
import type { Clock } from '../topo/clock.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { formatIdentity, witnessIn } from '../topo/identity.js';
import { GLOBAL } from '../topo/topology.js';
import { StoppedCopy } from './failure.js';
import { type Flags, text, usage } from './flags.js';
import type { ProgressView } from './progress.js';
import { tripleFlags } from './side-flags.js';
import type { Pair } from './topologies.js';
import { TRANSCODING_FLAGS } from './transcoding-flags.js';
import { version } from './version.js';

/** The journal that the flags name, opened and not begun; undefined: none. Usage for --resume without one. `lock`: absent where it is only read. */
export function journalOf(flags: Flags, pair: Pair, lock?: JournalLock): Journal | undefined {
  const path = text(flags, 'journal');
  if (path === undefined) {
    if (flags['resume'] === true)
      throw usage('--resume needs the journal of the copy that was interrupted', 'give --journal FILE');
    return undefined;
  }
  const { source, destination } = pair;
  const migration = { from: formatAddress(source.address), to: formatAddress(destination.address) };
  return Journal.open(path, migration, lock);
}

/** The options of a copy with what a journal knows of earlier runs. */
export function withJournal(
  options: CopyOptions,
  journal: Journal | undefined,
  resume: boolean,
): CopyOptions {
  if (journal === undefined) return options;
  let parts: readonly Part[] = [];
  return {
    ...options,
    lastRun: journal.lastRun,
    async onParts(found) {
      ({ parts } = found);
      await checkStores(journal, parts, resume, options);
      await options.onParts?.(found);
    },
    ...(resume ? { ledgers: journal.ledgers } : {}),
    beforeWrite: async (scope, entries) => journal.writing(scope, entries),
    afterWrite: witnessing(journal, () => parts, options),
  };
}

/** Refuses stores that are not those of the journal. What the destination is counts only for what an interrupted run wrote there. */
async function checkStores(
  journal: Journal,
  parts: readonly Part[],
  resume: boolean,
  options: CallOptions,
): Promise<void> {
  const { identities } = journal;
  if (identities === undefined) return;
  const known = parts.filter(({ scope }) => identities[`from:${scope}`] !== undefined);
  await checkIdentities(identities, known, 'the journal', { ...options, sides: ['from'] });
  if (!resume || !journal.interrupted) return;
  for (const part of known) {
    const name = `to:${part.scope}`;
    const own = journal.witnesses.get(part.scope) ?? [];
    const [line = identities[name]] = own;
    // What was there before the run is somebody else's, who may have made it anew.
    const isTold = own.length > 0 || line === undefined || witnessIn(line) === undefined;
    if (!isTold || (await isAny(await part.to(), own, options))) continue;
    const lines = line === undefined ? {} : { [name]: line };
    await checkIdentities(lines, [part], 'the journal', { ...options, sides: ['to'] });
  }
}

async function isAny(store: Connection, lines: readonly string[], options: CallOptions): Promise<boolean> {
  for (const line of lines) if (await isStore(store, line, options)) return true;
  return false;
}

/** Has the journal know each destination by the first record that was written there. */
function witnessing(
  journal: Journal,
  parts: () => readonly Part[],
  { signal, deadline }: CallOptions,
): NonNullable<CopyOptions['afterWrite']> {
  /** The record that each destination is known by. */
  const noted = new Map<string, string>();
  return async (scope, entries) => {
    // One that is deleted tells nothing any more: the next one that is written does.
    if (entries.some(({ action, path }) => action === 'delete' && path === noted.get(scope)))
      noted.delete(scope);
    const witness = entries.find(({ action }) => action !== 'delete')?.path;
    const part = parts().find((each) => each.scope === scope);
    if (witness === undefined || part === undefined || noted.has(scope)) return;
    noted.set(scope, witness);
    try {
      const identity = await (await part.to()).identity({ signal, deadline, witness });
      if (identity.root !== undefined) journal.witness(scope, formatIdentity(identity));
      else noted.delete(scope);
    } catch {
      // The copy goes on without: after the next transaction it is tried again.
      noted.delete(scope);
    }
  };
}

/** Plans a copy and writes the plan to a file. */
export async function planToFile(
  path: string,
  pair: Pair,
  flags: Flags,
  options: CopyOptions,
): Promise<PreparedCopy> {
  const writer = new PlanWriter(path);
  const planned: CopyOptions = {
    ...options,
    async onParts(parts) {
      await options.onParts?.(parts);
      const identities = await identitiesOf(parts.parts, options);
      writer.begin({ ...headOf(pair, flags, options.clock, parts.cells), identities });
    },
    onEntry: (scope, entry) => writer.entry(scope, entry),
  };
  try {
    const prepared = await planCopy(planned);
    writer.finish(prepared.plan);
    return prepared;
  } catch (error) {
    writer.discard();
    throw error;
  }
}

/** Flags that decide what a plan is about, besides the addresses. */
const PLAN_FLAGS = [
  ...['from-cell', 'to-cell', 'to-cell-root', 'cells', 'kinds', 'keyspace', 'delete'],
  ...TRANSCODING_FLAGS.map(({ name }) => name),
];

function headOf(
  pair: Pair,
  flags: Flags,
  clock: Clock,
  cells: PreparedCopy['cells'],
): Omit<PlanHead, 'identities'> {
  const given = PLAN_FLAGS.flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [[name, value as string | boolean | string[]] as const];
  });
  // What a person answered is part of the plan, like what the flags say.
  const places = [...pair.rule.given].map(([name, { server, root }]) => `${name}=${server},${root}`);
  return {
    tool: version(),
    made: new Date(clock.now()).toISOString(),
    from: pair.source.spelled,
    to: pair.destination.spelled,
    cells: cells.map(({ name, address }) => ({ name, address: formatAddress(address) })),
    flags: { ...Object.fromEntries(given), ...(places.length === 0 ? {} : { 'to-cell': places }) },
  };
}

/** Plans again what a saved plan says. Guard when the stores are others, or anything moved since, but for what `begun` carried out. */
export async function planAsSaved(
  saved: SavedPlan,
  begun: boolean,
  options: CopyOptions,
): Promise<PreparedCopy> {
  const comparison = new PlanComparison(saved, { begun });
  const { identities } = saved.head;
  const { source, destination } = options;
  const global = { scope: GLOBAL, from: async () => source.global, to: async () => destination.global };
  // First of all: what another store would be refused for otherwise is no news about this one.
  if (identities[`from:${GLOBAL}`] !== undefined)
    await checkIdentities(identities, [global], 'the plan', options);
  checkRoots(saved.head, { from: source.address, to: destination.address });
  const prepared = await planCopy({
    ...options,
    async onParts(parts) {
      await checkIdentities(identities, parts.parts, 'the plan', options);
      await options.onParts?.(parts);
    },
    onEntry: (scope, entry) => comparison.entry(scope, entry),
  });
  comparison.finish();
  return prepared;
}

/**
 * Refuses other roots than a plan's: Guard. Of a root that held nothing its store knows no identity, and the same servers may be
 * named in another way.
 */
function checkRoots(head: PlanHead, given: Readonly<Record<'from' | 'to', StoreAddress>>): void {
  for (const side of ['from', 'to'] as const) {
    // `zookeeper:FILE` says its root by what it holds.
    if (!head[side].includes('://')) continue;
    const { root } = parseAddress(head[side]);
    if (root === given[side].root) continue;
    const name = side === 'from' ? 'source' : 'destination';
    throw new TopologyError(
      ErrorCode.Guard,
      `the plan is for another ${name}: its root is ${root}, and this one is ${given[side].root}`,
      { store: storeName(given[side]), hint: 'give the address that the plan has, or make the plan again' },
    );
  }
}

/** Runs what only reads. Interrupted says that nothing was written. */
export async function planning<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Interrupted)) throw error;
    throw error.withHint('nothing was written yet: run the command again');
  }
}

/** How to go on with what stopped, and keeps nothing. */
export const GO_ON_AGAIN = 'run the copy again to go on';

/** How to go on with a copy that stopped: with its journal, or its saved plan. */
export function goingOn(has: { readonly journal: boolean; readonly plan: boolean }): string {
  if (has.journal) return 'to go on: the same command with --resume';
  return has.plan
    ? 'to go on: make the plan again; what is written already is not planned again'
    : GO_ON_AGAIN;
}

/** Carries a plan out. StoppedCopy, with how far it got and how to go on, when it fails. */
export async function carryOutCopy(
  prepared: PreparedCopy,
  options: CopyOptions,
  progress: ProgressView,
  goOn: string,
): Promise<CopyResult> {
  let written = 0;
  try {
    return await applyCopy(prepared, {
      ...options,
      onProgress: progress.update,
      onWritten(_scope, entries) {
        written += entries.length;
      },
    });
  } catch (error) {
    const planned = prepared.plan.scopes.reduce((sum, { toWrite }) => sum + toWrite, 0);
    // What the source changed meanwhile comes on top of the plan.
    const toWrite = Math.max(planned, written);
    throw new StoppedCopy(error, written, toWrite, goOn);
  }
}

/** Whether a Tablet was left out since it would have replaced a filled one by a blank one: a copy is not complete without it. */
export function leavesBlank(plan: Plan): boolean {
  return plan.scopes.some(({ findings }) => findings.some(({ problem }) => problem === 'blank tablet'));
}

/** A saved plan, and the flags that it stands for where they are not given. Undefined without --plan. */
export function savedPlan(flags: Flags): { readonly saved: SavedPlan; readonly flags: Flags } | undefined {
  const path = text(flags, 'plan');
  if (path === undefined) return undefined;
  const fixed = PLAN_FLAGS.find((name) => flags[name] !== undefined);
  if (fixed !== undefined)
    throw usage(`--${fixed} and --plan exclude one another`, 'a plan says what is copied, and where to');
  const saved = readPlan(path);
  const { head } = saved;
  const side = (name: 'from' | 'to', word: 'source' | 'destination') =>
    [name, word, tripleFlags(name).implementation].some((flag) => flags[flag] !== undefined)
      ? {}
      : { [name]: head[name] };
  return {
    saved,
    flags: { ...head.flags, ...flags, ...side('from', 'source'), ...side('to', 'destination') },
  };
}
