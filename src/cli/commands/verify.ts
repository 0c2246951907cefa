import { backupTitle, checkBackup, readBackupRecord } from '../../copy/backup/record.js';
import type { Kind } from '../../topo/kinds.js';
import type { Found } from '../../verify/findings.js';
import type { VerifyReport } from '../../verify/report.js';
import { verify } from '../../verify/verify.js';
import { certificateWish, withBaseline, writeCertificate } from '../certificates.js';
import { type Command, switchFlags } from '../command.js';
import type { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { type Io, json } from '../io.js';
import { checkCellFlags, PAIR_FLAGS, PAIR_WORDS, type Pair, withPair } from '../topologies.js';
import { CERTIFYING_FLAGS, JUDGING_FLAGS, judging } from '../verify-flags.js';
import { verifyHtml } from '../verify-html.js';
import { FORMS, streamOf } from '../verify-stream.js';
import { verifyExit, verifyJson, verifyText } from '../verify-text.js';

export const verifyCommand: Command = {
  command: 'verify [source] [destination]',
  describe: 'compare two topologies, both ways, field by field; exit 1 when they differ',
  words: PAIR_WORDS,
  flags: [
    ...PAIR_FLAGS.map((spec) => (spec.name === 'output' ? { ...spec, choices: FORMS } : spec)),
    ...switchFlags('allow-empty-cells'),
    ...JUDGING_FLAGS,
    ...CERTIFYING_FLAGS,
  ],
  examples: [
    [
      '$0 verify zk2://zk1:2181/vitess/global etcd2://etcd1:2379/vitess/global',
      'cells are found through each side’s own CellInfo',
    ],
    ['$0 verify --config topo2topo.yaml --settle 30s', 'while a follower brings over what changes'],
    [
      '$0 verify file:./monday.topo etcd2://etcd1:2379/vitess/global',
      'what changed since the backup of Monday',
    ],
  ],
  run: (flags: Flags, io: Io, signal: AbortSignal) => runVerify(flags, io, signal, undefined),
};

/** Compares and shows. `kinds` undefined: everything. */
export async function runVerify(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
): Promise<Exit> {
  const { failOn } = judging(flags);
  const stream = streamOf(flags, io);
  const { pair, report, backups } = await compare(flags, io, signal, kinds, stream?.add);
  const view = { kinds, failOn };
  if (stream !== undefined) stream.end(verifyJson(pair, report, view));
  else if (flags['output'] === 'json') io.out(json(verifyJson(pair, report, view)));
  else if (flags['output'] === 'html') io.out(verifyHtml(pair, report, view, Date.now()));
  else io.out([...backups, verifyText(io, pair, report, view)].join('\n'));
  return verifyExit(report, failOn);
}

/**
 * Compares, and says nothing; `onFound` is told of each record. Both sides are closed afterwards. `backups`: those of them that are
 * some, by what they say of themselves.
 */
export async function compare(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
  onFound?: (found: Found) => void,
): Promise<{ pair: Pair; report: VerifyReport; backups: string[] }> {
  const given = judging(flags);
  const wish = certificateWish(flags);
  return withPair(flags, io, signal, 'compare', async (pair) => {
    await checkCellFlags(flags, pair, signal);
    const backups = await checkedBackups(pair, signal);
    const started = Date.now();
    const report = await withBaseline(flags, io, signal, (baseline) =>
      verify({
        source: pair.source,
        destination: pair.destination,
        kinds,
        ...given,
        baseline,
        onFound,
        digests: wish !== undefined,
        allowEmptyCells: flags['allow-empty-cells'] === true,
        concurrency: Number(flags['concurrency']),
        signal,
      }),
    );
    if (wish !== undefined) writeCertificate(wish, pair, report, given, started);
    return { pair, report, backups };
  });
}

/** Refuses a backup that was altered since it was made: Corrupt. */
async function checkedBackups(pair: Pair, signal: AbortSignal): Promise<string[]> {
  const found: string[] = [];
  for (const side of [pair.source, pair.destination]) {
    if (side.address.implementation !== 'file') continue;
    if ((await readBackupRecord(side, { signal })) === undefined) continue;
    found.push(backupTitle(side, await checkBackup(side, { signal })));
  }
  return found;
}
