import { filledIn } from '../graph/filled-in.js';
import type { Pair, ScanSpan } from '../topo/join.js';
import type { Kind } from '../topo/kinds.js';
import { formatTabletAlias } from '../topo/names.js';
import type { Cell } from '../topo/topology.js';
import type { Carried } from '../verify/carried.js';
import type { PlanContext } from './context.js';
import { type Decision, decide, NOT_NAMED, OWN_DELETED } from './decide.js';
import type { Decoded } from './decoded.js';
import { type Action, type Entry, EntryList, isWrite, WRITES, type WriteEntry } from './entries.js';
import type { Finding } from './findings.js';
import { GroupCounts } from './groups.js';
import { keyspaceOf } from './shards.js';
import { Staying } from './staying.js';
import { Tally } from './tally.js';
import { Transcoded } from './transcoded.js';

/** How many records of one kind, and how many bytes, each action concerns. */
export interface KindCounts {
  create: number;
  /** What is rewritten or transcoded counts as created or updated. */
  update: number;
  delete: number;
  same: number;
  skip: number;
  extra: number;
  /** Of created and updated records. */
  bytes: number;
}

const SKIPPED: ReadonlySet<Action> = new Set(['skip']);
const EXTRA: ReadonlySet<Action> = new Set(['extra']);

/** What copying one scope (the global store, or one cell's) will do. Nothing of it is done yet. */
export class ScopePlan {
  readonly scope: string;
  /** Names of both stores. */
  readonly from: string;
  readonly to: string;
  /** Everything but what is the same already, and what is none of the records that were named; in path order. */
  readonly entries = new EntryList();
  readonly findings: Finding[] = [];
  readonly transcoded = new Transcoded();
  readonly counts = new Map<Kind, KindCounts>();
  /** Records of the source of the kinds that are copied, whether they were asked for or not, by kind and by shard. */
  readonly tally = new Tally();
  /** What this copy itself had brought, and is to be deleted since the source has it no more, by kind and by shard. */
  readonly going = new Tally();
  /** What a certificate says that the source held, by group; undefined: there is none. */
  certified: ReadonlyMap<string, number> | undefined;
  /** Keyspaces that the certificate is narrowed to; undefined: it is not. */
  certifiedKeyspaces: ReadonlySet<string> | undefined;
  /** The same of now, where there is one. */
  readonly groups = new GroupCounts();
  /** Directory names of the Tablets that Shards name as their primaries, on either side. */
  readonly primaries = new Set<string>();
  /** What keeps records of the destination from being deleted; nothing where its store keeps none. */
  readonly staying = new Staying();
  /** Paths that either side lists. */
  listed = 0;
  /** Records read from the source. */
  read = 0;
  /** Entries that change the destination. */
  toWrite = 0;
  source: ScanSpan = { first: 0n, last: 0n };
  destination: ScanSpan = { first: 0n, last: 0n };

  constructor(context: Pick<PlanContext, 'scope' | 'from' | 'to'>) {
    this.scope = context.scope;
    this.from = context.from;
    this.to = context.to;
  }

  /** Entries that change the destination; `actions`: some of them. */
  *writes(actions: ReadonlySet<Action> = WRITES): Generator<WriteEntry> {
    for (const entry of this.entries.only(actions)) if (isWrite(entry)) yield entry;
  }

  /** Records that are left where they are, and why: a lock, an election, a kind that was not asked for … */
  skipped(): Iterable<Entry> {
    return this.entries.only(SKIPPED);
  }

  /** Records that only the destination has, and keeps. */
  extra(): Iterable<Entry> {
    return this.entries.only(EXTRA);
  }

  countsOf(kind: Kind): KindCounts {
    let counts = this.counts.get(kind);
    if (counts === undefined) {
      counts = { create: 0, update: 0, delete: 0, same: 0, skip: 0, extra: 0, bytes: 0 };
      this.counts.set(kind, counts);
    }
    return counts;
  }
}

/** The whole copy: global part and one part a cell. */
export interface Plan {
  readonly scopes: readonly ScopePlan[];
  /** Cells, with the addresses that the destination's CellInfo will name. */
  readonly cells: readonly Cell[];
  /** Directory names of the Tablets that Shards name, of a global part that is none of `scopes`. */
  readonly primaries?: ReadonlySet<string> | undefined;
  /** What the destination lacks that the CellInfo of this plan, as the commit, must not come before. */
  readonly missing?: readonly Missing[] | undefined;
  /** Records that the source does not list, and that may not be read, as `scope:path`. */
  readonly hidden?: readonly string[] | undefined;
}

/** How many records of a scope the destination lacks, and the plan does not write. */
export interface Missing {
  readonly scope: string;
  readonly number: number;
}

/** Told of each path that is decided on, what is the same already included. */
export type OnEntry = (entry: Entry) => void;

/** Decides what becomes of each pair. Pure but for `plan` and the context's ledger, which grow. */
export function addPairs(
  plan: ScopePlan,
  pairs: readonly Pair[],
  context: PlanContext,
  onEntry?: OnEntry,
): void {
  plan.listed += pairs.length;
  for (const pair of pairs) {
    if (pair.a !== undefined) plan.read += 1;
    context.ledger?.recognise(pair.path, pair.b);
    const decision = decide(pair, context);
    if (context.capabilities.goesLast === true) addStaying(plan, pair, decision?.entry);
    if (decision === undefined) continue;
    const { entry, findings, source, existing, carried } = decision;
    if (source !== undefined && source.row.copied !== false) {
      plan.tally.add(source);
      if (isCertified(plan, source)) plan.groups.add(source.row.kind, pair.path);
    }
    if (entry.reason === OWN_DELETED && existing !== undefined) plan.going.add(existing);
    if (entry.kind === 'Shard')
      for (const shard of [source, existing]) {
        const primary = shard === undefined ? undefined : primaryOf(shard);
        if (primary !== undefined) plan.primaries.add(primary);
      }
    if (entry.reason === NOT_NAMED) continue;
    count(plan, entry);
    if (entry.action !== 'same') plan.entries.push(entry);
    else if (entry.destination !== undefined) context.ledger?.own(entry.path, entry.destination);
    if (findings.length > 0) plan.findings.push(...findings);
    if (carried !== undefined) addCarried(plan, entry, decision, carried);
    onEntry?.(entry);
  }
}

function addStaying({ staying }: ScopePlan, { path, b }: Pair, entry: Entry | undefined): void {
  if (entry?.action === 'delete') staying.deletes(entry);
  // What is kept elsewhere, too, is in nobody's way.
  else if (b === undefined ? entry !== undefined && isWrite(entry) : b.stays === undefined)
    staying.keeps(path, entry?.kind);
}

function addCarried(
  plan: ScopePlan,
  { action, kind, path }: Entry,
  { source }: Decision,
  carried: Carried,
): void {
  const { transcoded } = plan;
  transcoded.add(kind, path, carried);
  // Nobody fills in what an old version does not know.
  if (source === undefined || action !== 'transcode' || transcoded.to !== undefined) return;
  const { row, record, problem } = source;
  if (row.message !== null && problem === undefined)
    transcoded.addFilledIn(row.message, filledIn(row.message, record.bytes));
}

/** Whether a record counts for what a certificate says: the group of Tablets is of all keyspaces. */
function isCertified({ certified, certifiedKeyspaces: only }: ScopePlan, source: Decoded): boolean {
  return certified !== undefined && (only === undefined || only.has(keyspaceOf(source) ?? ''));
}

/** Directory name of the Tablet that a Shard record names as its primary; undefined: none, or it does not decode. */
export function primaryOf(shard: Decoded): string | undefined {
  const { cell, uid } = shard.message('primary_alias') ?? {};
  return typeof cell === 'string' && cell !== '' ? formatTabletAlias({ cell, uid: Number(uid) }) : undefined;
}

function count(plan: ScopePlan, entry: Entry): void {
  const counts = plan.countsOf(entry.kind);
  if (isWrite(entry)) {
    plan.toWrite += 1;
    counts.bytes += entry.bytes.byteLength;
  }
  switch (entry.action) {
    case 'rewrite':
    case 'transcode':
      counts[entry.destination === undefined ? 'create' : 'update'] += 1;
      break;
    default:
      counts[entry.action] += 1;
  }
}
