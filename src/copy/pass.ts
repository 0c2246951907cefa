import { checkDistinct, SameStoreCheck } from '../topo/apart.js';
import type { CallOptions, Connection, ScanPage, Value } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import { joinScans } from '../topo/join.js';
import { GLOBAL } from '../topo/topology.js';
import type { Carrying } from '../verify/carried.js';
import { isAskedBeside, narrowingOf } from '../verify/narrowing.js';
import { applyPlan } from './apply.js';
import { certifiedIn } from './certified.js';
import { foreignWrite, isConflict, unread } from './conflicts.js';
import type { PlanContext } from './context.js';
import type { Entry, WriteEntry } from './entries.js';
import { checkFinding } from './guards.js';
import { mirror } from './mirror.js';
import type { CopyOptions, OnScopeEntry, Totals } from './options.js';
import { Pace } from './pace.js';
import type { Part } from './parts.js';
import { addPairs, type Plan, ScopePlan } from './plan.js';

/** Carries out the plan of one pass; what is written is added to `totals` as it goes. */
export async function writePass(
  plan: Plan,
  parts: readonly Part[],
  options: CopyOptions,
  totals: Totals,
): Promise<void> {
  const done = new Map(
    plan.scopes.map(({ scope, listed, toWrite }) => [
      scope,
      { listed, records: 0, bytes: 0, total: toWrite },
    ]),
  );
  const partOf = (scope: string): Part => {
    const part = parts.find((each) => each.scope === scope);
    if (part === undefined) throw new TypeError(`the plan has a part ${scope} that the copy has not`);
    return part;
  };
  await applyPlan(plan, {
    signal: options.signal,
    deadline: options.deadline,
    connection: (scope) => partOf(scope).to(),
    concurrency: options.concurrency,
    pace: new Pace(options.clock, options.rate),
    ledger: (scope) => partOf(scope).ledger,
    settle: (scope, entry, error) => settle(partOf(scope), entry, error, options),
    beforeWrite: options.beforeWrite,
    afterWrite: options.afterWrite,
    onWritten(scope, { entries, bytes }) {
      totals.written += entries.length;
      totals.bytes += bytes;
      options.onWritten?.(scope, entries);
      const counts = done.get(scope);
      if (counts === undefined) return;
      counts.records += entries.length;
      counts.bytes += bytes;
      options.onProgress?.({ phase: 'write', scope, ...counts });
    },
  });
}

/** Makes one path right after its write was refused, or its answer was lost. See `onConflict` of {@link CopyOptions}. */
async function settle(part: Part, entry: WriteEntry, error: unknown, options: CopyOptions): Promise<void> {
  const [from, to] = await Promise.all([part.from(), part.to()]);
  const call = { signal: options.signal, deadline: options.deadline };
  const { ledger } = part;
  if (options.onConflict === 'stop') {
    const existing = await find(to, entry.path, call).catch((failure: unknown) => {
      throw unread(error, failure);
    });
    const isDone =
      entry.action === 'delete' ? existing === undefined : sameBytes(existing?.bytes, entry.bytes);
    if (!isDone) throw isConflict(error) ? foreignWrite(to.store, entry.path, error) : error;
    if (existing === undefined) ledger.forget(entry.path);
    else ledger.own(entry.path, existing.version.token);
    return;
  }
  const isAsPlanned = (existing: Value | undefined) =>
    existing?.version.token === entry.destination ||
    (entry.action !== 'delete' && sameBytes(existing?.bytes, entry.bytes));
  // A record that the plan saw, and that is gone, was deleted by somebody else, unless that is what the plan wanted.
  const isOurs = (existing: Value | undefined) =>
    (existing !== undefined || entry.action === 'delete') && ledger.allows(entry.path, existing);
  await mirror(entry.path, {
    ...call,
    from,
    to,
    context: part.context(from, to),
    mayReplace: (existing) => isAsPlanned(existing) || isOurs(existing),
    check: (finding) => checkFinding(part.scope, finding, options.overrules ?? {}),
    beforeWrite: (changed) => options.beforeWrite?.(part.scope, [changed]),
    unknown: isTopologyError(error, ErrorCode.OutcomeUnknown) ? error : undefined,
  });
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

/** The parts whose source was written to since the plan began to read it. */
export async function movedParts(plan: Plan, parts: readonly Part[], options: CallOptions): Promise<Part[]> {
  const call = { signal: options.signal, deadline: options.deadline };
  const moved = await Promise.all(
    plan.scopes.map(async ({ scope, source }) => {
      const part = parts.find((each) => each.scope === scope);
      const position = await (await part?.from())?.position(call);
      return position === source.first ? undefined : part;
    }),
  );
  return moved.filter((part) => part !== undefined);
}

/** Reads both sides of a part, and decides. */
export async function planPart(part: Part, options: CopyOptions, onEntry?: OnScopeEntry): Promise<ScopePlan> {
  const [from, to] = await Promise.all([part.from(), part.to()]);
  const isChecked = options.overrules?.samePlace !== true;
  if (isChecked) await checkDistinct(from, to, options);
  const context = part.context(from, to);
  const { scope } = context;
  const plan = new ScopePlan(context);
  const call = { signal: options.signal, deadline: options.deadline };
  const { certificate } = options;
  if (certificate !== undefined) {
    plan.certified = await certifiedIn(certificate, scope, from, call);
    plan.certifiedKeyspaces = narrowingOf(certificate.selection ?? {}).keyspaces;
  }
  const { carrying } = context;
  plan.transcoded.from = carrying?.from?.name;
  plan.transcoded.to = carrying?.to?.name;
  if (scope === GLOBAL && carrying !== undefined) await readServing(carrying, from, call);
  const pairs = joinScans(noting(from.scan('', call), plan, context), to.scan('', call));
  const sameness = isChecked ? new SameStoreCheck(from, to) : undefined;
  const told = onEntry === undefined ? undefined : (entry: Entry) => onEntry(scope, entry);
  for (;;) {
    const page = await pairs.next();
    if (page.done === true) {
      sameness?.finish(page.value);
      plan.source = page.value.a;
      plan.destination = page.value.b;
      for (const finding of plan.staying.findings()) plan.findings.push(finding);
      return plan;
    }
    sameness?.add(page.value);
    addPairs(plan, page.value, context, told);
    const { listed, read: records } = plan;
    options.onProgress?.({ phase: 'read', scope, listed, records, bytes: 0, total: undefined });
  }
}

/** Reads what tells of serving flags. Usage when somebody spoke of a shard that there is not. */
async function readServing({ graph }: Carrying, { store }: Connection, call: CallOptions): Promise<void> {
  await graph.read(call);
  const unknown = graph.unknown();
  if (unknown.length === 0) return;
  throw new TopologyError(ErrorCode.Usage, `the source has no shard ${unknown.join(', ')}`, {
    store,
    hint: '--serving takes KEYSPACE/SHARD=yes, or =no, of shards that there are',
  });
}

/** A scan of the source, of which a plan takes what is no record. Where records are named, nothing else is asked for. */
async function* noting(
  pages: AsyncIterable<ScanPage>,
  { transcoded }: ScopePlan,
  context: PlanContext,
): AsyncGenerator<ScanPage> {
  for await (const page of pages) {
    if (context.paths === undefined)
      for (const beside of page.beside ?? [])
        if (isAskedBeside(beside, context)) transcoded.addBeside(beside);
    yield page;
  }
}
