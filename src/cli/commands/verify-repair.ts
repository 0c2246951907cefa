import { toRepair } from '../../copy/repair.js';
import { compareOpen } from '../comparing.js';
import { doneText } from '../copy-text.js';
import { leavesBlank } from '../copying.js';
import { Exit } from '../exit.js';
import { StoppedCopy } from '../failure.js';
import type { Flags } from '../flags.js';
import { type Io, json } from '../io.js';
import { repairJson, repairText } from '../repair-text.js';
import { GO_ON, type Repaired, repair } from '../repairing.js';
import { type Pair, withPair } from '../topologies.js';
import { judging } from '../verify-flags.js';
import { verifyExit, verifyJson, verifyText } from '../verify-text.js';

/** Compares, copies what differs from the side that is right, compares again, and answers with that verdict. */
export function runRepair(flags: Flags, io: Io, signal: AbortSignal): Promise<Exit> {
  const { authority } = judging(flags);
  const access = flags['dry-run'] === true ? 'compare' : authority === 'destination' ? 'write back' : 'write';
  return withPair(flags, io, signal, access, (pair) => repairPair(flags, pair, io, signal));
}

async function repairPair(flags: Flags, pair: Pair, io: Io, signal: AbortSignal): Promise<Exit> {
  const { failOn, authority } = judging(flags);
  const asText = flags['output'] !== 'json';
  const dryRun = flags['dry-run'] === true;
  const compare = () => compareOpen(flags, pair, { io, signal, kinds: undefined });
  const before = await compare();
  const view = { failOn, backups: before.backups };
  if (asText) io.out(verifyText(io, pair, before.report, view));
  if (toRepair(before.report).length === 0) {
    before.certify();
    io.out(
      asText ? 'repair: nothing differs that is to be mended' : json(verifyJson(pair, before.report, view)),
    );
    return verifyExit(before.report, failOn);
  }
  const document = (of: Repaired) => repairJson(of, before.report, authority, dryRun);
  const repaired = await repair(flags, pair, before.report, {
    io,
    signal,
    document: (planned) => ({ ...verifyJson(pair, before.report, view), repair: document(planned) }),
    onPlan: (planned) => {
      if (asText) io.out(repairText(io, planned, before.report, authority));
    },
  });
  const { result } = repaired;
  if (asText && result !== undefined) io.out(doneText(io, result, repaired.ms));
  if (asText && dryRun) io.out(`${io.colors.bold('dry run')}: nothing was written`);
  const after = dryRun ? before : await again(compare, repaired);
  const { report } = after;
  after.certify();
  if (!asText)
    io.out(
      json({
        ...verifyJson(pair, report, view),
        repair: document(repaired),
      }),
    );
  else if (!dryRun) io.out(verifyText(io, pair, report, { failOn }));
  return leavesBlank(repaired.prepared.plan) && !dryRun ? Exit.Guard : verifyExit(report, failOn);
}

/** A failure after a repair must not hide that it was made. */
function again<T>(compare: () => Promise<T>, { result }: Repaired): Promise<T> {
  return compare().catch((error: unknown) => {
    const written = result?.written ?? 0;
    throw new StoppedCopy(error, written, written, GO_ON);
  });
}
