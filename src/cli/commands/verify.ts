import type { Argv } from 'yargs';
import type { Kind } from '../../topo/kinds.js';
import type { VerifyReport } from '../../verify/report.js';
import { verify } from '../../verify/verify.js';
import type { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { type Io, json } from '../io.js';
import { switches } from '../switches.js';
import { checkCellFlags, commonFlags, type Pair, pairFlags, pairWords, withPair } from '../topologies.js';
import { verifyExit, verifyJson, verifyText } from '../verify-text.js';

export const verifyCommand = {
  command: 'verify [source] [destination]',
  describe: 'compare two topologies, both ways, field by field; exit 1 when they differ',
  builder: (yargs: Argv) =>
    switches(commonFlags(pairFlags(pairWords(yargs))), 'allow-empty-cells').example(
      '$0 verify zk2://zk1:2181/vitess/global etcd2://etcd1:2379/vitess/global',
      'cells are found through each side’s own CellInfo',
    ),
  run: (flags: Flags, io: Io, signal: AbortSignal) => runVerify(flags, io, signal, undefined),
};

/** Compares and shows. `kinds` undefined: everything. */
export async function runVerify(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<Exit> {
  const { pair, report } = await compare(flags, io, signal, kinds);
  io.out(
    flags['output'] === 'json' ? json(verifyJson(pair, report, kinds)) : verifyText(io, pair, report, kinds),
  );
  return verifyExit(report);
}

/** Compares, and says nothing. Both sides are closed afterwards. */
export async function compare(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<{ pair: Pair; report: VerifyReport }> {
  return withPair(flags, io, signal, 'compare', async (pair) => {
    await checkCellFlags(flags, pair, signal);
    const report = await verify({
      source: pair.source,
      destination: pair.destination,
      kinds,
      allowEmptyCells: flags['allow-empty-cells'] === true,
      concurrency: Number(flags['concurrency']),
      signal,
    });
    return { pair, report };
  });
}
