import { hostname } from 'node:os';
import { freeze } from '../copy/freeze.js';
import type { FreezeOptions, FreezeResult, FreezeState } from '../copy/freeze-options.js';
import { Ledger } from '../copy/ledger.js';
import type { CopyOptions } from '../copy/options.js';
import type { Clock } from '../topo/clock.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { type FlagSpec, switchFlags, textFlag } from './command.js';
import { durationText, parseDuration } from './durations.js';
import { Exit } from './exit.js';
import { allSentences, errorCode, failureJson } from './failure.js';
import { type Flags, text, usage } from './flags.js';
import { count, type Io, jsonLine } from './io.js';
import { listLines, printable } from './lists.js';
import { afterFreeze, nextText } from './next-steps.js';
import type { Pair } from './topologies.js';
import { verifyExit, verifyText } from './verify-text.js';

/** Flags of a freeze. They count on the command line alone: nobody is to be locked out by an old setting. */
export const FREEZE_FLAGS: readonly FlagSpec[] = [
  ...switchFlags('freeze').map((spec) => ({ ...spec, spoken: true as const })),
  textFlag('freeze-timeout', 'how long the freeze may take, getting the locks included (default 30s)', {
    spoken: true,
  }),
  textFlag(
    'freeze-hold',
    'how long to keep locks and seal, and to watch the source, when all is done, or until Ctrl-C',
    { spoken: true },
  ),
  textFlag(
    'freeze-seal',
    'have the source’s store refuse the writes of others: where it can (default), or fail, or not at all',
    { spoken: true, choices: ['auto', 'always', 'never'] },
  ),
];

const TIMEOUT = '30s';

/** What flags say of a freeze. */
type FreezeWish = Pick<FreezeOptions, 'timeoutMs' | 'holdMs' | 'seal'>;

/** What is asked for; undefined: no freeze. Usage for what does not go with one. */
export function freezeWish(flags: Flags): FreezeWish | undefined {
  const isAsked = flags['freeze'] === true;
  const without = ['freeze-timeout', 'freeze-hold', 'freeze-seal'].find((name) => flags[name] !== undefined);
  if (!isAsked && without !== undefined) throw usage(`--${without} is given without --freeze`);
  if (!isAsked) return undefined;
  const against = ['cells', 'kinds', 'keyspace', 'plan', 'dry-run', 'verify'].find(
    (name) => flags[name] !== undefined && flags[name] !== false,
  );
  if (against !== undefined)
    throw usage(
      `--${against} and --freeze exclude one another`,
      'a freeze is of all records: it copies what differs, and compares both sides itself',
    );
  const hold = text(flags, 'freeze-hold');
  const seal = text(flags, 'freeze-seal');
  return {
    timeoutMs: parseDuration(text(flags, 'freeze-timeout') ?? TIMEOUT, '--freeze-timeout'),
    ...(hold === undefined ? {} : { holdMs: parseDuration(hold, '--freeze-hold') }),
    ...(seal === 'always' || seal === 'never' ? { seal } : {}),
  };
}

/** A ledger for every part of the source: those that are known, and new ones. */
export async function ledgersFor(
  source: Topology,
  { signal, ledgers }: CopyOptions,
): Promise<ReadonlyMap<string, Ledger>> {
  const scopes = [GLOBAL, ...(await source.cells({ signal })).map(({ name }) => name)];
  return new Map(scopes.map((scope) => [scope, ledgers?.get(scope) ?? new Ledger()]));
}

/**
 * Freezes, with a clock on the error stream. `pair`: whose result is told to people, before the locks are kept any longer; undefined:
 * programs listen, and the clock is events.
 */
export async function runFreeze(
  options: CopyOptions & Pick<FreezeOptions, 'before'>,
  wish: FreezeWish,
  io: Io,
  pair: Pair | undefined,
): Promise<FreezeResult> {
  const view = pair === undefined ? freezeEvents(io, options.clock) : freezeView(io, options.clock, wish);
  try {
    const result = await freeze({
      ...options,
      ...wish,
      random: Math.random,
      host: hostname(),
      user: io.env['USER'],
      onStep: view.step,
      onWrite: view.write,
      onLost: view.lost,
      onDone(done) {
        view.pause();
        if (pair === undefined) return;
        io.out(freezeText(io, done));
        io.out(verifyText(io, pair, done.report));
        io.out(nextText(io, afterFreeze(done)));
      },
    });
    if (pair !== undefined && result.left.length + result.sealed.length > 0) io.out(leftText(io, result));
    return result;
  } finally {
    view.pause();
  }
}

const TICK_MS = 100;

/** The clock: redrawn on a terminal, a line for each step elsewhere. */
function freezeView(
  io: Io,
  clock: Clock,
  { timeoutMs, holdMs = 0 }: { timeoutMs: number; holdMs?: number | undefined },
) {
  let cancel = () => {};
  let last: FreezeState | undefined;
  const line = ({ step, since, missed }: FreezeState): string => {
    if (step === 'preparing') return 'not frozen: looking at the rights that are to be sealed';
    if (since === undefined)
      return missed === undefined
        ? 'not frozen: taking all locks'
        : `not frozen: try ${missed.tries} met the lock of ${missed.holder}`;
    const seconds = ((clock.now() - since) / 1000).toFixed(1);
    const limit =
      step === 'holding'
        ? ` kept for ${durationText(holdMs)}, Ctrl-C gives back`
        : ` of ${timeoutMs / 1000} s`;
    return `${io.errColors.yellow(`frozen ${seconds} s`)}${limit}: ${step}`;
  };
  const draw = (state: FreezeState) => {
    process.stderr.write(`\r\x1b[K${line(state)}`);
    cancel = clock.schedule(TICK_MS, () => draw(state));
  };
  const pause = () => {
    cancel();
    cancel = () => {};
    if (io.errIsTerminal) process.stderr.write('\r\x1b[K');
  };
  return {
    pause,
    step(state: FreezeState): void {
      pause();
      last = state;
      if (io.errIsTerminal) draw(state);
      else io.err(line(state));
    },
    lost(error: unknown): void {
      pause();
      const why = `${printable(allSentences(error))} [${errorCode(error)}]`;
      io.err(io.errColors.red(`NOT KEPT ANY MORE: ${why}; what is left of locks and seal is given back`));
    },
    write(path: string): void {
      pause();
      io.err(io.errColors.red(`WRITTEN TO THE SOURCE: ${printable(path)}; the destination lacks it`));
      if (io.errIsTerminal && last !== undefined) draw(last);
    },
  };
}

/** The clock for programs: an object for each step, one a line. */
function freezeEvents(io: Io, clock: Clock) {
  const tell = (event: object) => io.err(jsonLine(event));
  return {
    pause: () => {},
    step: ({ step, since, missed }: FreezeState) =>
      tell({
        type: 'freeze-step',
        step,
        ...(since === undefined ? {} : { frozenMs: clock.now() - since }),
        ...missed,
      }),
    write: (path: string) => tell({ type: 'freeze-write', path }),
    lost: (error: unknown) => tell({ type: 'freeze-lost', ...failureJson(error) }),
  };
}

/** What a freeze certifies, for people. */
function freezeText(io: Io, result: Omit<FreezeResult, 'left' | 'sealed'>): string {
  const { green, yellow } = io.colors;
  const { written, locked, waiting, frozenMs, quiesced, exempt, notSealed } = result;
  return [
    `${green('frozen')} for ${(frozenMs / 1000).toFixed(1)} s under ${count(locked.length, 'lock')}: ${count(written, 'record')} copied; no record of the source moved`,
    quiesced
      ? green('quiesced: the source is sealed, its store lets nobody write')
      : `${yellow('not quiesced: the source is not sealed, and who does not mind locks may write from now on')}\n  ${io.colors.dim('→')} ${printable(notSealed ?? '')}`,
    ...listLines(io, yellow('may write all the same: no seal keeps them out'), exempt),
    ...listLines(io, yellow('others wait for these locks, and get them when they are given back'), waiting),
  ].join('\n');
}

/** What could not be given back, for people. */
function leftText(io: Io, { left, sealed }: FreezeResult): string {
  return [
    ...listLines(
      io,
      io.colors.yellow('locks that could not be given back, and end by themselves (topo2topo locks list)'),
      left.map(({ dir }) => dir),
    ),
    ...listLines(
      io,
      io.colors.red('STILL SEALED, nobody can write there: take the seal off with topo2topo unseal'),
      sealed.map(({ store }) => store),
    ),
  ].join('\n');
}

/** The exit code of a freeze that came to its end. */
export function freezeExit({ report, sealed }: FreezeResult): Exit {
  const exit = verifyExit(report);
  return exit === Exit.Ok && sealed.length > 0 ? Exit.Store : exit;
}

/** A freeze, for programs. */
export function freezeJson(result: FreezeResult): object {
  const { written, bytes, locked, waiting, tries, frozenMs, quiesced, exempt, left, report, plan } = result;
  const why = (error: unknown) => (error instanceof Error ? error.message : String(error));
  return {
    equal: report.equal,
    quiesced,
    ...(result.notSealed === undefined ? {} : { notSealed: result.notSealed }),
    exempt,
    frozenMs,
    tries,
    locked,
    waiting,
    written,
    bytes,
    positions: plan.scopes.map(({ scope, from, source }) => ({ scope, store: from, position: source.first })),
    left: left.map(({ dir, error }) => ({ dir, why: why(error) })),
    sealed: result.sealed.map(({ scope, store, error }) => ({ scope, store, why: why(error) })),
  };
}
