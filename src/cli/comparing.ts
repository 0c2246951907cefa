import { backupFacts, backupTitle, checkBackup, readBackupRecord } from '../copy/backup/record.js';
import type { Kind } from '../topo/kinds.js';
import type { Found } from '../verify/findings.js';
import type { VerifyReport } from '../verify/report.js';
import { verify } from '../verify/verify.js';
import { certificateWish, withBaseline, writeCertificate } from './certificates.js';
import { narrowingBy } from './copy-flags.js';
import type { Flags } from './flags.js';
import type { Io } from './io.js';
import { checkCellFlags, type Pair, withPair } from './topologies.js';
import { servingBy, toleranceBy } from './transcoding-flags.js';
import { judging } from './verify-flags.js';
import type { ComparedBackup } from './verify-text.js';

/** What a comparison is about, beside the flags. */
export interface Comparing {
  readonly io: Io;
  readonly signal: AbortSignal;
  /** Kinds that the command narrows it to; undefined: what the flags say. */
  readonly kinds: ReadonlySet<Kind> | undefined;
  /** Told of each record. */
  readonly onFound?: ((found: Found) => void) | undefined;
}

/** What a comparison gave. */
export interface Compared {
  readonly report: VerifyReport;
  /** Those of both sides that are some. */
  readonly backups: readonly ComparedBackup[];
  /** Writes the certificate, where the flags ask for one. */
  readonly certify: () => void;
}

/** Opens both sides, compares, writes the certificate that is asked for, and says nothing. Both sides are closed afterwards. */
export function compare(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  kinds: ReadonlySet<Kind> | undefined,
  onFound?: (found: Found) => void,
): Promise<Compared & { readonly pair: Pair }> {
  return withPair(flags, io, signal, 'compare', async (pair) => {
    const compared = await compareOpen(flags, pair, { io, signal, kinds, onFound });
    compared.certify();
    return { pair, ...compared };
  });
}

/** Compares sides that are open, and stay so. */
export async function compareOpen(
  flags: Flags,
  pair: Pair,
  { io, signal, kinds, onFound }: Comparing,
): Promise<Compared> {
  const given = judging(flags);
  const wish = certificateWish(flags);
  const narrowing = narrowingBy(flags, kinds);
  await checkCellFlags(flags, pair, signal);
  const backups = await checkedBackups(pair, signal);
  const started = Date.now();
  const report = await withBaseline(flags, io, signal, narrowing, (baseline) =>
    verify({
      source: pair.source,
      destination: pair.destination,
      ...narrowing,
      ...given,
      ...toleranceBy(flags),
      ...servingBy(flags),
      baseline,
      onFound,
      digests: wish !== undefined,
      allowEmptyCells: flags['allow-empty-cells'] === true,
      concurrency: Number(flags['concurrency']),
      signal,
    }),
  );
  const ended = Date.now();
  const certify = () => wish && writeCertificate(wish, pair, report, given, { started, ended });
  return { report, backups, certify };
}

/** Refuses a backup that was altered since it was made: Corrupt. */
async function checkedBackups(pair: Pair, signal: AbortSignal): Promise<ComparedBackup[]> {
  const found: ComparedBackup[] = [];
  for (const side of ['source', 'destination'] as const) {
    const topology = pair[side];
    if (topology.address.implementation !== 'file') continue;
    if ((await readBackupRecord(topology, { signal })) === undefined) continue;
    const record = await checkBackup(topology, { signal });
    const facts = { side, ...backupFacts(topology, record, Date.now()) };
    found.push({ title: backupTitle(topology, record), facts });
  }
  return found;
}
