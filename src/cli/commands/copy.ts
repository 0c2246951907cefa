import type { Argv } from 'yargs';
import { applyCopy, type CopyOptions, type CopyResult, planCopy } from '../../copy/copy.js';
import type { Plan } from '../../copy/plan.js';
import type { Kind } from '../../topo/kinds.js';
import { copyJson, dryRunText, planText } from '../copy-text.js';
import { Exit } from '../exit.js';
import { StoppedCopy } from '../failure.js';
import { type Flags, usage } from '../flags.js';
import { count, type Io, json, size } from '../io.js';
import { copyProgress, type ProgressView } from '../progress.js';
import { switches } from '../switches.js';
import { checkCellFlags, commonFlags, type Pair, pairFlags, pairWords, withPair } from '../topologies.js';
import { verifyExit, verifyJson, verifyText } from '../verify-text.js';
import { compare } from './verify.js';

export const copyCommand = {
  command: 'copy [source] [destination]',
  describe: 'copy a whole topology to another store; writes only what differs',
  builder: (yargs: Argv) => copyFlags(commonFlags(pairFlags(pairWords(yargs)))),
  run: (flags: Flags, io: Io, signal: AbortSignal) => runCopy(flags, io, signal, undefined),
};

/** Flags of copying. */
export function copyFlags(yargs: Argv): Argv {
  return switches(yargs, 'dry-run', 'verify', 'allow-empty-cells', 'allow-extra', 'allow-older')
    .option('to-cell-root', {
      type: 'string',
      requiresArg: true,
      describe: 'root of every cell on the destination’s servers, for example /vitess/{cell}',
    })
    .example(
      '$0 copy zk2://zk1:2181/vitess/global etcd2://etcd1:2379/vitess/global --to-cell-root "/vitess/{cell}"',
      'everything, all cells on the destination’s servers',
    )
    .example('$0 copy --from zk2://zk1/vitess/global --to file:./backup.topo', 'a backup');
}

/** Plans, shows, and (unless `--dry-run`) applies. `kinds` undefined: everything. */
export async function runCopy(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<Exit> {
  const dryRun = flags['dry-run'] === true;
  if (dryRun && flags['verify'] === true)
    throw usage('--dry-run and --verify exclude one another', 'without a copy there is nothing to verify');
  const text = flags['output'] !== 'json';
  const { pair, plan, result } = await copy(flags, io, signal, kinds);
  const document = copyJson(pair, plan, result?.written, kinds);
  if (flags['verify'] !== true) {
    if (!text) io.out(json(document));
    else if (!dryRun)
      io.out(`next: compare both sides with ${io.colors.bold('topo2topo verify')} and the same addresses`);
    return Exit.Ok;
  }
  const written = result?.written ?? 0;
  const verified = await compare(flags, io, signal, kinds).catch((error: unknown) => {
    throw new StoppedCopy(error, written, written);
  });
  io.out(
    text
      ? verifyText(io, verified.pair, verified.report, kinds)
      : json({ ...document, verification: verifyJson(verified.pair, verified.report, kinds) }),
  );
  return verifyExit(verified.report);
}

interface Copied {
  readonly pair: Pair;
  readonly plan: Plan;
  /** Undefined for a dry run. */
  readonly result: CopyResult | undefined;
}

async function copy(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<Copied> {
  const text = flags['output'] !== 'json';
  const dryRun = flags['dry-run'] === true;
  const started = Date.now();
  return withPair(flags, io, signal, dryRun ? 'compare' : 'write', async (pair) => {
    checkFileDestination(flags, pair);
    const progress = copyProgress(io, text);
    const options: CopyOptions = {
      source: pair.source,
      destination: pair.destination,
      rule: pair.rule,
      kinds,
      overrules: {
        emptyCells: flags['allow-empty-cells'] === true,
        extra: flags['allow-extra'] === true,
        newer: flags['allow-older'] === true,
      },
      concurrency: Number(flags['concurrency']),
      onProgress: progress.update,
      signal,
    };
    try {
      const plan = await planCopy(options);
      await checkCellFlags(flags, pair, signal);
      progress.pause();
      if (text) io.out(planText(io, pair, plan, kinds));
      if (dryRun) {
        if (text) io.out(dryRunText(io, plan));
        return { pair, plan, result: undefined };
      }
      const result = await apply(plan, options, progress);
      progress.stop();
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      if (text)
        io.out(
          `${io.colors.green('done')} wrote ${count(result.written, 'record')}, ${size(result.bytes)}, in ${seconds} s`,
        );
      return { pair, plan, result };
    } finally {
      progress.stop();
    }
  });
}

async function apply(plan: Plan, options: CopyOptions, progress: ProgressView): Promise<CopyResult> {
  const written = new Map<string, number>();
  try {
    return await applyCopy(plan, {
      ...options,
      onProgress(event) {
        if (event.phase === 'write') written.set(event.scope, event.records);
        progress.update(event);
      },
    });
  } catch (error) {
    const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, each) => total + each, 0);
    throw new StoppedCopy(error, sum(written.values()), sum(plan.scopes.map(({ writes }) => writes.length)));
  }
}

function checkFileDestination(flags: Flags, pair: Pair): void {
  if (pair.destination.address.implementation !== 'file') return;
  const given = ['to-cell', 'to-cell-root'].find((name) => flags[name] !== undefined);
  if (given !== undefined)
    throw usage(`--${given} is given, and the destination is a file`, 'a file keeps its cells itself');
}
