import { formatAddress } from '../../topo/address.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { formatIdentity } from '../../topo/identity.js';
import { GLOBAL } from '../../topo/topology.js';
import type { Difference, VerifyReport } from '../../verify/report.js';
import { verify } from '../../verify/verify.js';
import { applyCopy, type PreparedCopy, planCopy } from '../copy.js';
import type { CopyOptions } from '../options.js';
import type { Plan } from '../plan.js';
import { someOf } from '../stop.js';
import {
  BACKUP_RECORD,
  type BackupRecord,
  type BackupScope,
  contentsOf,
  formatBackupRecord,
} from './record.js';

/** A backup: a copy into a topology file that does not exist yet. */
export interface BackupOptions
  extends Pick<
    CopyOptions,
    | 'source'
    | 'destination'
    | 'clock'
    | 'concurrency'
    | 'overrules'
    | 'lastRun'
    | 'onProgress'
    | 'signal'
    | 'deadline'
  > {
  /** Version of the tool. */
  readonly tool: string;
}

/** What was made. */
export interface MadeBackup {
  readonly record: BackupRecord;
  /** How the records came there; what was left out is named in it. */
  readonly plan: Plan;
}

/** Times a source that goes on changing is read. */
const ROUNDS = 3;

/**
 * Copies everything into the destination, compares it with the source, and says in the destination what it is a backup of. Guard as by
 * a copy, but for what keeps no backup from being made: locks that are held, records that do not decode. Corrupt when the source stood
 * still and the destination differs from it.
 */
export async function makeBackup(options: BackupOptions): Promise<MadeBackup> {
  const { source, destination, clock, concurrency, signal, deadline, tool } = options;
  const begun = new Date(clock.now()).toISOString();
  const copying: CopyOptions = {
    ...options,
    rule: { given: new Map() },
    // It holds what the source does, and nothing that is derived.
    target: undefined,
    overrules: { ...options.overrules, locks: true, undecodable: true },
  };
  const { emptyCells, acceptedLosses, skipsUnreadable } = options.overrules ?? {};
  const compare = () =>
    verify({
      source,
      destination,
      concurrency,
      allowEmptyCells: emptyCells === true,
      acceptedLosses,
      skipsUnreadable,
      signal,
      deadline,
    });
  let prepared = await planCopy(copying);
  const first = prepared;
  await applyCopy(prepared, copying);
  let report = await compare();
  for (let round = 2; !report.equal; round++) {
    checkExplained(report, prepared.plan);
    if (round > ROUNDS) break;
    prepared = await planCopy({
      ...copying,
      ledgers: new Map(prepared.parts.map(({ scope, ledger }) => [scope, ledger])),
    });
    await applyCopy(prepared, copying);
    report = await compare();
  }
  const { scopes: held, ...whole } = await contentsOf(destination, options);
  const record: BackupRecord = {
    version: 1,
    tool,
    begun,
    made: new Date(clock.now()).toISOString(),
    from: formatAddress(source.address),
    scopes: await Promise.all(
      held.map(async (scope) => ({ ...scope, ...(await originOf(scope.scope, prepared, report, options)) })),
    ),
    ...whole,
    changedMeanwhile: report.differences.length,
  };
  await destination.global.create(BACKUP_RECORD, formatBackupRecord(record), { signal, deadline });
  return { record, plan: first.plan };
}

/** Refuses differences in a store that nobody wrote to since it was read: Corrupt. */
function checkExplained(report: VerifyReport, plan: Plan): void {
  const moved = new Set(
    report.scopes
      .filter(({ scope, source }) => {
        const planned = plan.scopes.find((each) => each.scope === scope)?.source.first;
        return planned === undefined || planned !== source.span.last;
      })
      .map(({ scope }) => scope),
  );
  const wrong = report.differences.filter(({ scope }) => !moved.has(scope));
  if (wrong.length === 0) return;
  const named = ({ scope, path, type }: Difference) => `${scope}:${path} is ${type}`;
  throw new TopologyError(
    ErrorCode.Corrupt,
    `the backup does not hold what the source does: ${someOf(wrong.map(named))}`,
    {
      hint: 'nobody wrote to the source meanwhile, so this must not be: make it again, and report this fault',
    },
  );
}

/** Where the records of a scope come from. */
async function originOf(
  scope: string,
  { parts, plan }: PreparedCopy,
  report: VerifyReport,
  { signal, deadline }: BackupOptions,
): Promise<Pick<BackupScope, 'store' | 'identity' | 'positions' | 'held'>> {
  const part = parts.find((each) => each.scope === scope);
  const planned = plan.scopes.find((each) => each.scope === scope);
  const verified = report.scopes.find((each) => each.scope === scope);
  if (part === undefined || planned === undefined || verified === undefined)
    throw new TopologyError(ErrorCode.Guard, `the cell ${scope} came or went while the backup was made`, {
      hint: `make it again; a topology has its ${GLOBAL} part and the cells of its CellInfo`,
    });
  const from = await part.from();
  return {
    store: from.store,
    identity: formatIdentity(await from.identity({ signal, deadline })),
    positions: [String(planned.source.first), String(verified.source.span.last)],
    held: planned.tally.toJSON(),
  };
}
