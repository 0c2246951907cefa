import { formatAddress, type StoreAddress } from '../topo/address.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { listed } from '../topo/finding.js';
import type { Tolerance } from '../topo/told.js';
import { type Cell, GLOBAL } from '../topo/topology.js';
import type { Certificate } from '../verify/certificate.js';
import { OWN_DELETED } from './decide.js';
import { DELETES } from './entries.js';
import type { Finding, Problem } from './findings.js';
import { LOSS, LOSS_HINT, lossObjections } from './guard-losses.js';
import { deletedPrimaries, emptyCells, extraRecords, findingText, found, heldLocks } from './guarded.js';
import type { GuardName, Objection } from './objection.js';
import type { Plan, ScopePlan } from './plan.js';
import { going, shrunk, shrunkSince } from './shrunk.js';
import { stop, stopFor } from './stop.js';
import type { Tally } from './tally.js';

/** Guards a caller may overrule. Each is a flag of its own, `--allow-…`. What is borne with has flags that name it. */
export interface Overrules extends Tolerance {
  /** Cells whose local store holds nothing. */
  readonly emptyCells?: boolean | undefined;
  /** A source that holds much less than at the last run. */
  readonly shrunk?: boolean | undefined;
  /** Records that only the destination has; they are left alone. */
  readonly extra?: boolean | undefined;
  /** Write a Shard over one whose primary is of a later term. */
  readonly newer?: boolean | undefined;
  /** Records that do not decode; they are copied byte for byte. */
  readonly undecodable?: boolean | undefined;
  /** Locks that are held in the source. */
  readonly locks?: boolean | undefined;
  /** Tablets in a store that is said to be another cell's. */
  readonly otherCell?: boolean | undefined;
  /** A CellInfo of the destination that leads into the source. */
  readonly cellInSource?: boolean | undefined;
  /** Source and destination that look like one place. */
  readonly samePlace?: boolean | undefined;
  /** Records that may be deleted; default 0. */
  readonly maxDelete?: number | undefined;
}

/** What guards compare with. */
export interface Before {
  /** What the source held at the last run, by scope; undefined: there was none. */
  readonly lastRun?: ReadonlyMap<string, Tally> | undefined;
  /** A certificate of before, which says so, too. */
  readonly certificate?: Pick<Certificate, 'parts' | 'selection'> | undefined;
  /**
   * Directories of the global store in which the entries of locks are that the caller holds itself. Others in them wait for that
   * lock, and stop nothing.
   */
  readonly ownLocks?: ReadonlySet<string> | undefined;
}

/** Refuses a source that cannot be a topology: Guard when it names no cell. `records`: whether its root holds anything. */
export function checkSourceCells(address: StoreAddress, cells: readonly Cell[], records: boolean): void {
  if (cells.length > 0) return;
  throw new TopologyError(
    ErrorCode.Guard,
    records ? 'the source has no cells' : 'the source holds nothing: its root does not exist, or is empty',
    {
      store: formatAddress(address),
      hint: 'check the source’s server and root: a global root holds cells/<cell>/CellInfo',
    },
  );
}

/** Refuses a plan that would lose something or fail half-way: Guard, naming the records, with all guards that stop it ({@link Refused}). */
export function checkPlan(plan: Plan, overrules: Overrules, before: Before = {}): void {
  stopFor(objections(plan, overrules, before));
}

/** Refuses what is the matter with records that are read without being planned, as {@link checkPlan} does. */
export function checkRead(scopes: readonly ReadScope[], overrules: Overrules): void {
  stopFor([...findingObjections(scopes, overrules), ...lossObjections(scopes, overrules)]);
}

/** What is told of the records of one part. */
export type ReadScope = Pick<ScopePlan, 'scope' | 'findings' | 'transcoded'>;

/** Everything that the guards find in a plan, what is overruled included. Pure. */
export function objections(plan: Plan, overrules: Overrules, before: Before = {}): Objection[] {
  const { scopes } = plan;
  return [
    ...object(
      'empty-cells',
      'the source’s local store holds nothing for',
      emptyCells(scopes),
      EMPTY_HINT,
      overrules.emptyCells,
    ),
    ...object(
      'hidden',
      'the login may not read records of the source, whose store leaves them out of listings',
      plan.hidden ?? [],
      HIDDEN_HINT,
      false,
    ),
    ...object(
      'shrunk',
      'the source holds less than at the last run, by more than a tenth',
      [...shrunk(scopes, before.lastRun), ...shrunkSince(scopes)],
      SHRUNK_HINT,
      overrules.shrunk,
    ),
    ...object(
      'shrunk',
      'more than a tenth of what this copy had brought is gone from the source',
      going(scopes),
      SHRUNK_HINT,
      overrules.shrunk,
    ),
    ...findingObjections(scopes, overrules),
    ...lossObjections(scopes, overrules),
    ...object(
      'locks',
      'locks are held in the source',
      heldLocks(scopes, before.ownLocks),
      LOCKS_HINT,
      overrules.locks,
    ),
    ...object(
      'extra',
      'the destination holds records that the source does not',
      extraRecords(scopes),
      EXTRA_HINT,
      overrules.extra,
    ),
    ...notCopied(plan),
    ...object('primary-deleted', PRIMARY_DELETED, deletedPrimaries(plan), PRIMARY_HINT, false),
    ...deletions(scopes, overrules.maxDelete ?? 0),
  ];
}

/** What a guard objects to; nothing where it is about nothing. */
export function object(
  guard: GuardName,
  what: string,
  about: readonly string[],
  hint: string,
  overruled: boolean | undefined,
): Objection[] {
  return about.length === 0 ? [] : [{ guard, what, about, hint, overruled: overruled === true }];
}

function findingObjections(
  scopes: readonly Pick<ScopePlan, 'scope' | 'findings'>[],
  overrules: Overrules,
): Objection[] {
  return FINDING_GUARDS.flatMap(({ guard, problems, what, hint, overruled }) =>
    [false, true].flatMap((isOverruled) => {
      const about = found(
        scopes,
        (finding) => problems.includes(finding.problem) && overruled(overrules, finding) === isOverruled,
      );
      return object(guard, what, about, hint, isOverruled);
    }),
  );
}

/** Refuses one record that a guard stops (Guard). For records that are looked at one by one. */
export function checkFinding(scope: string, finding: Finding, overrules: Overrules): void {
  const guard = FINDING_GUARDS.find(({ problems }) => problems.includes(finding.problem));
  if (guard === undefined || guard.overruled(overrules, finding)) return;
  stop(guard.what, [findingText(scope, finding)], guard.hint);
}

interface FindingGuard {
  readonly guard: GuardName;
  readonly problems: readonly Problem[];
  readonly what: string;
  readonly hint: string;
  readonly overruled: (overrules: Overrules, finding: Finding) => boolean;
}

const FINDING_GUARDS: readonly FindingGuard[] = [
  {
    guard: 'other-cell',
    problems: ['other cell'],
    what: 'a cell’s store holds tablets of another cell',
    hint: 'check the cells’ addresses: an address such as localhost means another store on every host (--from-cell); if they belong there, add --allow-other-cell',
    overruled: ({ otherCell }) => otherCell === true,
  },
  {
    guard: 'empty-cells',
    problems: ['of unknown cells'],
    what: 'the client configuration of the source lacks cells that shards or their replication graphs name: nothing in them would be copied',
    hint: 'add these cells and their servers to the configuration; if there is nothing left of them, add --allow-empty-cells',
    overruled: ({ emptyCells }) => emptyCells === true,
  },
  {
    guard: 'cannot-hold',
    problems: ['too large', 'path too long', 'path refused', 'not held'],
    what: 'the destination cannot hold',
    hint: 'choose another kind of store, or make these records smaller or name them otherwise; where ZooKeeper’s jute.maxbuffer was raised, say so with --to-topo-zk-jute-maxbuffer',
    overruled: () => false,
  },
  {
    guard: 'cannot-hold',
    problems: ['fixed'],
    what: 'the destination does not write over what it holds',
    hint: 'change these with the tools of their time, delete them there first, or copy into another place',
    overruled: () => false,
  },
  {
    guard: 'cannot-hold',
    problems: ['stays'],
    what: 'the destination does not delete',
    hint: 'leave out --delete, or delete these there with the tools of their time; what is below a record has to go before it, and what is running there to end',
    overruled: () => false,
  },
  {
    guard: 'unreadable',
    problems: ['unreadable'],
    what: 'records of the source are in no form that is known',
    hint: 'mend them with the tools of their store; to leave them behind, name each, or all of them: --skip-unreadable PATH',
    overruled: ({ skipsUnreadable }, { path }) => skipsUnreadable?.(path) === true,
  },
  {
    guard: 'serving',
    problems: ['serving'],
    what: 'nothing tells whether shards serve, and Vitess 12 and newer takes those that do not say it for not serving',
    hint: 'say it for each: --serving KEYSPACE/SHARD=yes, or =no; with --target-version below 12 nobody asks for it',
    overruled: () => false,
  },
  {
    guard: 'loss',
    problems: ['loss'],
    what: LOSS,
    hint: LOSS_HINT,
    overruled: ({ acceptedLosses }, { loss }) => loss !== undefined && acceptedLosses?.has(loss) === true,
  },
  {
    guard: 'undecodable',
    problems: ['undecodable'],
    what: 'records of the source do not decode',
    hint: 'Vitess stumbles over them, too: repair or remove them; to copy them byte for byte as they are, add --allow-undecodable',
    overruled: ({ undecodable }) => undecodable === true,
  },
  {
    guard: 'leased',
    problems: ['leased'],
    what: 'records of the destination will go away by themselves',
    hint: 'remove these records from the destination, then copy again',
    overruled: () => false,
  },
  {
    guard: 'foreign',
    problems: ['foreign'],
    what: 'somebody else changed records of the destination since the copy that is resumed began',
    hint: 'find out who writes to the destination; the copy begins anew, and writes the source’s records over them, without --resume',
    overruled: () => false,
  },
  {
    guard: 'older',
    problems: ['older primary'],
    what: 'the destination is newer than the source',
    hint: 'the cluster may have moved on already: copying would take it back; --allow-older writes the source’s records all the same',
    overruled: ({ newer }) => newer === true,
  },
];

const HIDDEN_HINT =
  'give a login that may read everything below the root: whatever else it may not read would be missing from the copy, too';
const EMPTY_HINT =
  'check the cell’s address (--from-cell CELL=SERVER,ROOT); if the cell really is empty, add --allow-empty-cells';
export const SHRUNK_HINT =
  'a store that answers with less than it holds (no right to read, a stale member) looks like this; if the records really are gone, add --allow-shrunk';
const EXTRA_HINT =
  'look at them: another topology may live there, or they were deleted in the source; --allow-extra copies and leaves them alone, --delete deletes them';
const LOCKS_HINT =
  'somebody is changing what these locks protect: wait until they are given back (topo2topo locks list); --allow-locks copies all the same';

export const PRIMARY_DELETED = 'the primary of a shard would be deleted';
export const PRIMARY_HINT =
  'a Tablet that a Shard names is never deleted: the source lost it, or it is about to change its primary';

/** CellInfo that would come before what it opens. It is not looked for where the caller overrules it. */
function notCopied({ missing = [] }: Plan): Objection[] {
  const [first] = missing;
  if (first === undefined) return [];
  const names = missing.map(({ scope }) => (scope === GLOBAL ? 'the global part' : `cell ${scope}`));
  return [
    {
      guard: 'not-copied',
      what: `${listed(names)} ${names.length === 1 ? 'is' : 'are'} not copied yet`,
      about: missing.map(({ scope, number }) => `${scope} lacks ${number} of its records`),
      hint: `CellInfo, the commit, comes last, and opens a cell to Vitess; copy what is missing first: ${first.scope === GLOBAL ? 'all of it, without --kinds' : `--cells ${missing.map(({ scope }) => scope).join(',')}`}; to commit all the same, add --allow-empty-cells`,
      overruled: false,
    },
  ];
}

/** Deletions beyond what is allowed, counted by cell and kind. */
function deletions(scopes: readonly ScopePlan[], allowed: number): Objection[] {
  const deleted = scopes.flatMap((scope) => {
    const byKind = new Map<string, number>();
    for (const { kind, reason } of scope.writes(DELETES))
      if (reason !== OWN_DELETED) byKind.set(kind, (byKind.get(kind) ?? 0) + 1);
    return [...byKind].map(([kind, number]) => ({ text: `${scope.scope}: ${number} ${kind}`, number }));
  });
  const total = deleted.reduce((sum, { number }) => sum + number, 0);
  if (total <= allowed) return [];
  return [
    {
      guard: 'deletions',
      what: `${total} ${total === 1 ? 'record' : 'records'} would be deleted from the destination, and ${allowed} may be`,
      about: deleted.map(({ text }) => text),
      hint: `look at them with --dry-run; to delete them, add --max-delete ${total}`,
      overruled: false,
    },
  ];
}
