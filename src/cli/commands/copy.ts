import { type CopyResult, type PreparedCopy, planCopy } from '../../copy/copy.js';
import type { FreezeResult } from '../../copy/freeze-options.js';
import { identitiesOf } from '../../copy/identities.js';
import { type JournalLock, withJournalLock } from '../../copy/journal-lock.js';
import type { CopyOptions } from '../../copy/options.js';
import type { SavedPlan } from '../../copy/plan-file.js';
import { systemClock } from '../../topo/clock.js';
import type { Kind } from '../../topo/kinds.js';
import { withAskedCells } from '../ask-cells.js';
import { withAskedServing } from '../ask-serving.js';
import type { Command } from '../command.js';
import { compare } from '../comparing.js';
import { COPY_FLAGS, checkFileDestination, copyOptions } from '../copy-flags.js';
import { copyJson, doneText, dryRunText, openText, planText } from '../copy-text.js';
import {
  carryOutCopy,
  goingOn,
  journalOf,
  leavesBlank,
  planAsSaved,
  planning,
  savedPlan,
  withJournal,
} from '../copying.js';
import { Exit } from '../exit.js';
import { StoppedCopy } from '../failure.js';
import { type Flags, text as textOf, usage } from '../flags.js';
import { FREEZE_FLAGS, freezeExit, freezeJson, freezeWish, ledgersFor, runFreeze } from '../freezing.js';
import { type Io, json } from '../io.js';
import { afterCopy, afterFreeze, nextText } from '../next-steps.js';
import { copyProgress } from '../progress.js';
import { checkCellFlags, PAIR_WORDS, type Pair, withPair } from '../topologies.js';
import { verifyExit, verifyJson, verifyText } from '../verify-text.js';

/** Examples of copying. */
export const COPY_EXAMPLES = [
  [
    '$0 copy zk2://zk1:2181/vitess/global etcd2://etcd1:2379/vitess/global --to-cell-root "/vitess/{cell}"',
    'everything, all cells on the destination’s servers',
  ],
  ['$0 copy --from zk2://zk1/vitess/global --to file:./backup.topo', 'a backup'],
  ['$0 copy --plan plan.jsonl', 'what topo2topo plan -o plan.jsonl planned, unless anything moved since'],
  ['$0 copy --config topo2topo.yaml --journal copy.journal --resume', 'go on with a copy that was killed'],
] as const;

export const copyCommand: Command = {
  command: 'copy [source] [destination]',
  describe: 'copy a whole topology to another store; writes only what differs',
  words: PAIR_WORDS,
  flags: [...COPY_FLAGS, ...FREEZE_FLAGS],
  examples: COPY_EXAMPLES,
  run: (flags: Flags, io: Io, signal: AbortSignal) => runCopy(flags, io, signal, undefined),
};

/** Plans, shows, and (unless `--dry-run`) applies. `kinds` undefined: everything. `also`: more for programs. */
export async function runCopy(
  given: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
  also: Readonly<Record<string, unknown>> = {},
): Promise<Exit> {
  const plan = savedPlan(given);
  const flags = plan?.flags ?? given;
  const dryRun = flags['dry-run'] === true;
  if (dryRun && flags['verify'] === true)
    throw usage('--dry-run and --verify exclude one another', 'without a copy there is nothing to verify');
  const text = flags['output'] !== 'json';
  const copied = await copy(flags, io, signal, kinds, plan?.saved);
  const { pair, prepared, options, result, frozen } = copied;
  const asked = options.kinds;
  const next = (verified: boolean) =>
    afterCopy(pair, prepared, { kinds: asked, keyspaces: options.keyspaces, verified });
  const document = { ...copyJson(pair, prepared.plan, result, asked), ...also };
  if (frozen !== undefined) {
    if (!text)
      io.out(
        json({
          ...document,
          next: afterFreeze(frozen),
          freeze: freezeJson(frozen),
          verification: verifyJson(pair, frozen.report),
        }),
      );
    if (freezeExit(frozen) !== Exit.Ok) return freezeExit(frozen);
  } else if (flags['verify'] !== true) {
    if (!text) io.out(json(dryRun ? document : { ...document, next: next(false) }));
    else if (!dryRun) io.out(nextText(io, next(false)));
  } else {
    const written = result?.written ?? 0;
    const placed = { ...copied.flags, ...placesOf(pair, prepared) };
    const verified = await compare(placed, io, signal, asked).catch((error: unknown) => {
      throw new StoppedCopy(error, written, written);
    });
    io.out(
      text
        ? verifyText(io, verified.pair, verified.report)
        : json({
            ...document,
            next: next(true),
            verification: verifyJson(verified.pair, verified.report),
          }),
    );
    if (verifyExit(verified.report) !== Exit.Ok) return verifyExit(verified.report);
    if (text && next(true).length > 0) io.out(nextText(io, next(true)));
  }
  return leavesBlank(prepared.plan) ? Exit.Guard : Exit.Ok;
}

/** Where the cells are, as flags: a copy of a part brings no CellInfo that says so. */
function placesOf({ destination }: Pair, { cells }: PreparedCopy): Flags {
  const placed = cells.filter(({ source }) => source === 'given');
  if (destination.address.implementation === 'file' || placed.length === 0) return {};
  return { 'to-cell': placed.map(({ name, address }) => `${name}=${address.server},${address.root}`) };
}

interface Copied {
  /** Those that were given, and what was asked. */
  readonly flags: Flags;
  readonly pair: Pair;
  readonly prepared: PreparedCopy;
  readonly options: CopyOptions;
  /** Undefined for a dry run. */
  readonly result: CopyResult | undefined;
  /** Undefined without a freeze. */
  readonly frozen?: FreezeResult | undefined;
}

async function copy(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
  saved: SavedPlan | undefined,
): Promise<Copied> {
  const text = flags['output'] !== 'json';
  const dryRun = flags['dry-run'] === true;
  const wish = freezeWish(flags);
  const access = wish === undefined ? (dryRun ? 'plan' : 'write') : 'freeze';
  const progress = copyProgress(io, { clock: systemClock, asJson: !text });
  const work = async (opened: Pair, lock: JournalLock): Promise<Copied> => {
    checkFileDestination(flags, opened);
    const pair = await withAskedCells(flags, io, signal, opened);
    const told = saved === undefined ? await withAskedServing(flags, io, signal, pair) : flags;
    const journal = journalOf(flags, pair, lock);
    const resume = flags['resume'] === true;
    const asked = withJournal(copyOptions(told, pair, signal, kinds), journal, resume);
    const ledgers = wish === undefined ? asked.ledgers : await ledgersFor(pair.source, asked);
    const options: CopyOptions = {
      ...asked,
      ledgers,
      // What a lock protects is copied again under the freeze's own.
      overrules: { ...asked.overrules, locks: wish !== undefined || asked.overrules?.locks === true },
      onProgress: progress.update,
      onConflict: saved === undefined ? 'mirror' : 'stop',
    };
    const { clock } = options;
    const started = clock.now();
    try {
      const begun = resume && journal?.interrupted === true;
      const prepared = await planning(
        saved === undefined ? planCopy(options) : planAsSaved(saved, begun, options),
      );
      await checkCellFlags(flags, pair, signal);
      progress.pause();
      if (text) io.out(planText(io, pair, prepared, options.kinds));
      const open = openText(prepared);
      if (!text && open !== undefined) io.err(open);
      if (dryRun) {
        if (text) io.out(dryRunText(io, prepared.plan));
        return { flags: told, pair, prepared, options, result: undefined };
      }
      journal?.begin(resume, await planning(identitiesOf(prepared.parts, options)), prepared);
      const result = await carryOutCopy(
        prepared,
        options,
        progress,
        goingOn({ journal: journal !== undefined, plan: saved !== undefined }),
      );
      progress.pause();
      if (text) io.out(doneText(io, result, clock.now() - started));
      const frozen =
        wish === undefined
          ? undefined
          : await runFreeze({ ...asked, ledgers, before: prepared.plan }, wish, io, text ? pair : undefined);
      journal?.done(frozen?.plan ?? prepared.plan);
      return { flags: told, pair, prepared, options, result, frozen };
    } finally {
      journal?.close();
      progress.pause();
    }
  };
  const locked = (opened: Pair) =>
    withJournalLock(dryRun ? undefined : textOf(flags, 'journal'), { clock: systemClock, signal }, (lock) =>
      work(opened, lock),
    );
  return withPair(flags, io, signal, access, locked, progress.retried);
}
