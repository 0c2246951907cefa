import { checkDistinct, SameStoreCheck } from '../topo/apart.js';
import type { CallOptions, Connection, ScanPage } from '../topo/connection.js';
import { formatIdentity } from '../topo/identity.js';
import { joinScans, type Pair, type ScanSpan } from '../topo/join.js';
import { GLOBAL } from '../topo/topology.js';
import { type CompareContext, type Comparison, comparePair, isDifference, lostValue } from './compare.js';
import { contextOf } from './context.js';
import { type Group, PartDigest, type Slot } from './digest.js';
import { Findings } from './findings.js';
import { askByName, placesOf, toldBy } from './hidden.js';
import { isAskedBeside } from './narrowing.js';
import type { VerifyOptions } from './options.js';
import type { ReadStore, ScopeReport } from './report.js';
import { type Authority, settle } from './settle.js';
import type { Sides } from './sides.js';
import { since } from './since.js';

/** What comparing one part of both topologies gave. */
export interface VerifiedScope {
  readonly found: Findings;
  readonly report: ScopeReport;
  /** Paths at which either side holds something. */
  readonly records: number;
}

/** Reads one part of both sides, side by side, and compares. Guard when both are one store. */
export async function verifyScope(
  scope: string,
  sides: Sides,
  options: VerifyOptions,
): Promise<VerifiedScope> {
  const call = { signal: options.signal, deadline: options.deadline };
  const [from, to] = await Promise.all([sides.from(scope), sides.to(scope)]);
  if (from !== undefined && to !== undefined) await checkDistinct(from, to, call);
  const present = [from, to].filter((store) => store !== undefined);
  await askByName(present, placesOf(scope, options), call);
  const context = contextOf(scope, { source: from, destination: to }, sides, options);
  const { forms } = context;
  if (scope === GLOBAL) await forms?.carrying.graph.read(call);
  const found = new Findings(options.ignore ?? [], options.onFound);
  const digest =
    options.digests === true || options.baseline?.needsDigests === true ? new PartDigest() : undefined;
  const decidesLater = options.settle !== undefined || options.baseline !== undefined;
  const noted = (side: Authority, pages: AsyncIterable<ScanPage>) =>
    forms?.side === side ? noting(pages, found, context) : pages;
  const joined = joinScans(
    noted('source', from?.scan('', call) ?? noRecords()),
    noted('destination', to?.scan('', call) ?? noRecords()),
  );
  const sameness = from === undefined || to === undefined ? undefined : new SameStoreCheck(from, to);
  const open: Undecided[] = [];
  const tells = new Set<string>();
  let records = 0;
  for (;;) {
    const page = await joined.next();
    if (page.done === true) {
      sameness?.finish(page.value);
      sides.told.take(scope, tells);
      await askByName(await sides.stores([GLOBAL]), sides.told.unlisted(scope, options), call);
      const settled = await settledOf(open, scope, sides, context, options);
      for (const { pair, comparison, slot } of settled)
        if (slot !== undefined) digest?.replace(slot, comparedSides(pair, comparison));
      const groups = digest?.groups();
      for (const comparison of await judgedOf(settled, groups ?? [], options)) found.add(comparison);
      const { a, b } = page.value;
      const identifies = digest !== undefined;
      const [source, destination] = await Promise.all([
        storeOf(scope, from, a, identifies, call),
        storeOf(scope, to, b, identifies, call),
      ]);
      return { found, records, report: { scope, source, destination, counts: found.counts, groups } };
    }
    sameness?.add(page.value);
    options.onPairs?.(page.value);
    for (const pair of page.value) {
      const told = toldBy(scope, pair.path);
      if (told !== undefined) tells.add(told);
      const comparison = comparePair(pair, context);
      const { outcome } = comparison;
      const slot =
        outcome === undefined
          ? undefined
          : digest?.add(outcome.kind, pair.path, comparedSides(pair, comparison));
      if (decidesLater && isDifference(outcome)) open.push({ pair, comparison, slot });
      else found.add(comparison);
    }
    records += page.value.length;
    options.onProgress?.(scope, records);
  }
}

/** A scan of which losses of what is no record are taken. */
async function* noting(
  pages: AsyncIterable<ScanPage>,
  found: Findings,
  context: CompareContext,
): AsyncGenerator<ScanPage> {
  for await (const page of pages) {
    for (const beside of page.beside ?? [])
      if (isAskedBeside(beside, context))
        found.addLosses(beside.losses.map((loss) => lostValue(loss, undefined, context)));
    yield page;
  }
}

/** What both sides hold, without what was left out. */
function comparedSides({ a, b }: Pair, { notCompared }: Comparison): [Pair['a'], Pair['b']] {
  const isOut = (name: 'source' | 'destination') => notCompared.some(({ side }) => side === name);
  return [isOut('source') ? undefined : a, isOut('destination') ? undefined : b];
}

/** A path that differed, and where its digest is. */
interface Undecided {
  readonly pair: Pair;
  readonly comparison: Comparison;
  readonly slot: Slot | undefined;
}

/** What paths that differed in the scans come to. */
async function settledOf(
  open: readonly Undecided[],
  scope: string,
  sides: Sides,
  context: CompareContext,
  { settle: settling, signal, deadline }: VerifyOptions,
): Promise<readonly Undecided[]> {
  if (settling === undefined || open.length === 0) return open;
  const stores = async () => {
    if (scope !== GLOBAL || open.some(({ pair }) => pair.path.startsWith('cells/'))) await sides.findCells();
    return { source: await sides.from(scope), destination: await sides.to(scope) };
  };
  const slots = new Map(open.map(({ pair, slot }) => [pair.path, slot]));
  const settled = await settle([...slots.keys()], stores, (pair) => comparePair(pair, context), settling, {
    signal,
    deadline,
  });
  return settled.map(({ pair, comparison, stands }) => ({
    pair,
    comparison: stands ? comparison : inFlight(comparison),
    slot: slots.get(pair.path),
  }));
}

/** Differences as they are seen from the baseline. */
export function judgedOf(
  all: readonly Pick<Undecided, 'pair' | 'comparison'>[],
  groups: readonly Group[],
  {
    baseline,
    settle: settling,
    authority = settling?.authority ?? 'source',
  }: Pick<VerifyOptions, 'baseline' | 'settle' | 'authority'>,
): Promise<Comparison[]> {
  return Promise.all(
    all.map(async ({ pair, comparison }) => {
      const { outcome } = comparison;
      if (baseline === undefined || !isDifference(outcome)) return comparison;
      const moved = await baseline.moved(outcome, pair, groups);
      return { ...comparison, outcome: since(outcome, pair, moved, authority) };
    }),
  );
}

function inFlight(comparison: Comparison): Comparison {
  const { outcome } = comparison;
  return isDifference(outcome) ? { ...comparison, outcome: { ...outcome, class: 'in-flight' } } : comparison;
}

async function storeOf(
  scope: string,
  store: Connection | undefined,
  span: ScanSpan,
  identifies: boolean,
  call: CallOptions,
): Promise<ReadStore> {
  if (store === undefined) return { store: `(no cell ${scope})`, span };
  if (!identifies) return { store: store.store, span };
  return { store: store.store, span, identity: formatIdentity(await store.identity(call)) };
}

async function* noRecords(): AsyncGenerator<ScanPage> {
  yield { records: [], position: 0n };
}
