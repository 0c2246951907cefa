import { type CopyResult, type PreparedCopy, planCopy } from '../copy/copy.js';
import type { CopyOptions } from '../copy/options.js';
import type { RecordPaths } from '../copy/parts.js';
import {
  checkAsCompared,
  checkDirection,
  pathsOf,
  toRepair,
  turnRound,
  type Unmended,
  unmended,
} from '../copy/repair.js';
import { systemClock } from '../topo/clock.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Kind } from '../topo/kinds.js';
import type { VerifyReport } from '../verify/report.js';
import type { Authority } from '../verify/settle.js';
import { withAskedCells } from './ask-cells.js';
import { certificateOf } from './certificates.js';
import { checkFileDestination, copyOptions } from './copy-flags.js';
import { carryOutCopy, GO_ON_AGAIN, planning } from './copying.js';
import { StoppedCopy, Unconfirmed } from './failure.js';
import { type Flags, looksLikeAddress, text } from './flags.js';
import { count, type Io } from './io.js';
import { copyProgress } from './progress.js';
import type { Pair } from './topologies.js';
import { judging } from './verify-flags.js';

/** What a repair would write, and why what else differs stays as it is. */
export interface PlannedRepair {
  /** The sides as the copy has them: from the authority to the other one. */
  readonly pair: Pair;
  readonly prepared: PreparedCopy;
  readonly left: readonly Unmended[];
  readonly toWrite: number;
}

/** A repair that is asked for. */
interface Asked {
  readonly io: Io;
  readonly signal: AbortSignal;
  /** Shows the plan. */
  readonly onPlan: (planned: PlannedRepair) => void;
  /** The plan, for programs, where nobody says yes to it. */
  readonly document: (planned: Repaired) => object;
}

/** What became of a plan. `result` undefined: nothing was written, as asked, or since there was nothing to write. */
export interface Repaired extends PlannedRepair {
  readonly result: CopyResult | undefined;
  readonly ms: number;
}

/**
 * Copies the records that a comparison found different, from the authority, with all guards of a copy. Guard, with nothing written, unless
 * the flags or the person who is asked say so.
 */
export async function repair(
  flags: Flags,
  opened: Pair,
  report: VerifyReport,
  asked: Asked,
): Promise<Repaired> {
  const { io, signal, onPlan, document } = asked;
  const asJson = flags['output'] === 'json';
  const { authority } = judging(flags);
  const isBack = authority === 'destination';
  const wanted = toRepair(report);
  if (flags['allow-older'] !== true) {
    checkCertificates(flags, authority);
    checkDirection(wanted, authority);
  }
  const pair = isBack ? turned(opened) : await asDestination(flags, io, signal, opened);
  const { paths, left: unknown } = isBack
    ? await withoutGivenCells(pair, report, signal)
    : { paths: pathsOf(wanted), left: [] };
  const progress = copyProgress(io, { clock: systemClock, asJson });
  const options: CopyOptions = {
    ...copyOptions(flags, pair, signal),
    // The records are named, whatever they say of their keyspace on either side.
    keyspaces: undefined,
    paths,
    onProgress: progress.update,
  };
  const { clock } = options;
  const told = (error: unknown) => raise(error, isBack);
  try {
    const prepared = await planning(planCopy(options)).catch(told);
    checkAsCompared(wanted, prepared.plan, authority);
    progress.pause();
    const toWrite = prepared.plan.scopes.reduce((sum, scope) => sum + scope.toWrite, 0);
    const planned = { pair, prepared, left: [...unknown, ...unmended(paths, prepared.plan)], toWrite };
    onPlan(planned);
    if (flags['dry-run'] === true || toWrite === 0) return { ...planned, result: undefined, ms: 0 };
    await confirm(flags, io, signal, planned, document);
    const started = clock.now();
    const result = await carryOutCopy(prepared, options, progress, GO_ON_AGAIN).catch(told);
    return { ...planned, result, ms: clock.now() - started };
  } finally {
    progress.pause();
  }
}

async function asDestination(flags: Flags, io: Io, signal: AbortSignal, pair: Pair): Promise<Pair> {
  checkFileDestination(flags, pair);
  const asked = await withAskedCells(flags, io, signal, pair);
  // A copy refuses addresses of cells that only the destination has; a comparison reads them there.
  const known = new Set((await pair.source.cells({ signal })).map(({ name }) => name));
  const given = new Map([...asked.rule.given].filter(([name]) => known.has(name)));
  return { ...asked, rule: { ...asked.rule, given } };
}

/** From the destination to the source. Where the source's cells are is not changed. */
function turned({ source, destination }: Pair): Pair {
  return { source: destination, destination: source, rule: { given: new Map() } };
}

/** Paths to repair without CellInfo of cells that are reached by an address of the caller's: a copy would write that one. */
async function withoutGivenCells(
  { destination }: Pair,
  report: VerifyReport,
  signal: AbortSignal,
): Promise<{ readonly paths: RecordPaths; readonly left: readonly Unmended[] }> {
  const given = (await destination.cells({ signal })).filter(({ source }) => source === 'given');
  const own = new Set(given.map(({ name }) => `cells/${name}/CellInfo`));
  const isOwn = ({ kind, path }: { readonly kind: Kind; readonly path: string }) =>
    kind === 'CellInfo' && own.has(path);
  const all = toRepair(report);
  return {
    paths: pathsOf(all.filter((each) => !isOwn(each))),
    left: all.filter(isOwn).map(({ scope, path }) => ({ scope, path, reason: GIVEN })),
  };
}

const GIVEN = 'the cell was reached by --from-cell, so its CellInfo stays: topo2topo cell update changes it';

async function confirm(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  planned: PlannedRepair,
  document: Asked['document'],
): Promise<void> {
  const { pair, toWrite } = planned;
  if (flags['yes'] === true) return;
  const { store } = pair.destination.global;
  const what = `write ${count(toWrite, 'record')} to ${store}`;
  const canAsk = io.ask !== undefined && flags['output'] !== 'json';
  if (canAsk && /^y(es)?$/i.test((await io.ask(`${what}? yes or no: `, signal)).trim())) return;
  throw new Unconfirmed(
    `${count(toWrite, 'record')} would be written, and nothing was`,
    store,
    'look at the plan (or at --dry-run); to carry it out, add --yes',
    document({ ...planned, result: undefined, ms: 0 }),
  );
}

/** Refuses to go from the source where a certificate says that the destination was right already (Guard). */
function checkCertificates(flags: Flags, authority: Authority): void {
  if (authority === 'destination') return;
  for (const name of ['baseline', 'last-run-certificate']) {
    const file = text(flags, name);
    if (file === undefined || looksLikeAddress(file)) continue;
    if (certificateOf(file, {}).authority === 'source') continue;
    throw new TopologyError(
      ErrorCode.Guard,
      `the certificate ${file} was made when the destination was the authority: the cutover happened`,
      { hint: turnRound(authority) },
    );
  }
}

/** What fails is told in the words of a copy, which may go back. */
function raise(error: unknown, isBack: boolean): never {
  const told = (cause: unknown) => (isBack && cause instanceof TopologyError ? toldBack(cause) : cause);
  if (!(error instanceof StoppedCopy)) throw told(error);
  throw new StoppedCopy(told(error.cause), error.written, error.toWrite, GO_ON);
}

/** How to go on with a repair that stopped. */
export const GO_ON = 'run the same command again to go on: it compares first';

/** A cell that the source lacks has no address there; which flag gives one depends on the direction. */
function toldBack(error: TopologyError): TopologyError {
  if (error.code === ErrorCode.NoCell)
    return error.withHint(
      'the copy goes to the source: give the cell’s address with --from-cell CELL=SERVER,ROOT',
    );
  if (error.code !== ErrorCode.Guard) return error;
  return error.withHint(error.hint === undefined ? BACK : `${BACK}; ${error.hint}`);
}

const BACK =
  'with --authority to the copy goes back, and what it calls the source is the destination of this command, and the other way round';
