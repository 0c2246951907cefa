import pLimit from 'p-limit';
import type { StoreAddress } from '../topo/address.js';
import { checkApart, checkDistinct, SameStoreCheck } from '../topo/apart.js';
import type { CellAddress } from '../topo/codec.js';
import type { CallOptions, Connection, ScanPage } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { joinScans, type ScanSpan } from '../topo/join.js';
import { type Kind, needsCells } from '../topo/kinds.js';
import { type Cell, GLOBAL, type Topology } from '../topo/topology.js';
import { type CompareContext, comparePairs, type Findings } from './compare.js';
import type { ScopeReport, VerifiedCounts, VerifyReport } from './report.js';

/** A comparison of two topologies, which stay open. */
export interface VerifyOptions extends CallOptions {
  readonly source: Topology;
  readonly destination: Topology;
  /** Kinds to compare; undefined: all. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  /** Accept cells whose stores hold nothing on both sides. */
  readonly allowEmptyCells?: boolean | undefined;
  /** Cells read at the same time. */
  readonly concurrency: number;
  /** Told while it runs: pairs compared in a scope so far. */
  readonly onProgress?: ((scope: string, pairs: number) => void) | undefined;
}

/**
 * Compares everything in both topologies, both ways: the global parts and every cell that either has. Guard when they
 * are the same place, or when there was nothing to compare: neither is ever "equal".
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { source, destination } = options;
  const cells: Cells = needsCells(options.kinds)
    ? { source: await source.cells(options), destination: await destination.cells(options) }
    : { source: [], destination: [] };
  checkApart(
    { global: source.address, cells: cells.source },
    { global: destination.address, cells: cells.destination },
  );
  const limit = pLimit(options.concurrency);
  const tasks = [
    () => verifyScope(GLOBAL, source.global, destination.global, cells, options),
    ...unionOf(cells.source, cells.destination).map(({ name, a, b }) => async () => {
      const [from, to] = await Promise.all([
        a === undefined ? undefined : source.cell(a),
        b === undefined ? undefined : destination.cell(b),
      ]);
      return verifyScope(name, from, to, cells, options);
    }),
  ];
  const scopes = await Promise.all(tasks.map((task) => limit(task)));
  if (options.allowEmptyCells !== true) checkNotEmpty(scopes);
  return summarise(scopes);
}

/** Refuses cells in which neither side holds anything (Guard): their addresses may be wrong on both. */
function checkNotEmpty(scopes: readonly VerifiedScope[]): void {
  const empty = scopes.filter(({ report, records }) => report.scope !== GLOBAL && records === 0);
  if (empty.length === 0) return;
  const named = empty.map(
    ({ report }) => `${report.scope} (${report.source.store}, ${report.destination.store})`,
  );
  throw new TopologyError(ErrorCode.Guard, `nothing is stored on either side for cell ${named.join(', ')}`, {
    hint: 'check the cells’ addresses; if the cells really are empty, add --allow-empty-cells',
  });
}

interface VerifiedScope extends Findings {
  readonly report: ScopeReport;
  /** Paths at which either side holds something. */
  readonly records: number;
}

async function verifyScope(
  scope: string,
  from: Connection | undefined,
  to: Connection | undefined,
  cells: Cells,
  options: VerifyOptions,
): Promise<VerifiedScope> {
  const context = contextOf(scope, options, cells);
  if (from !== undefined && to !== undefined) checkDistinct(from, to);
  const found: Findings = { differences: [], notes: [], notCompared: [], counts: new Map() };
  const call = { signal: options.signal, deadline: options.deadline };
  const joined = joinScans(from?.scan('', call) ?? noRecords(), to?.scan('', call) ?? noRecords());
  const sameness = from === undefined || to === undefined ? undefined : new SameStoreCheck(from, to);
  let records = 0;
  for (;;) {
    const page = await joined.next();
    if (page.done === true) {
      sameness?.finish(page.value);
      return { ...found, records, report: scopeReport(scope, from, to, page.value, found.counts) };
    }
    sameness?.add(page.value);
    comparePairs(found, page.value, context);
    records += page.value.length;
    options.onProgress?.(scope, records);
  }
}

function scopeReport(
  scope: string,
  from: Connection | undefined,
  to: Connection | undefined,
  spans: { a: ScanSpan; b: ScanSpan },
  counts: ReadonlyMap<Kind, VerifiedCounts>,
): ScopeReport {
  const absent = `(no cell ${scope})`;
  return {
    scope,
    source: { store: from?.store ?? absent, span: spans.a },
    destination: { store: to?.store ?? absent, span: spans.b },
    counts,
  };
}

function summarise(scopes: readonly VerifiedScope[]): VerifyReport {
  const differences = scopes.flatMap((scope) => scope.differences);
  const counts = scopes.flatMap((scope) => [...scope.counts.values()]);
  const compared = counts.reduce((sum, { equal, noted, different }) => sum + equal + noted + different, 0);
  if (compared === 0 && differences.length === 0) {
    throw new TopologyError(
      ErrorCode.Guard,
      'nothing was compared: neither side holds a record of the kinds asked for',
      {
        hint: 'check servers and roots of both sides',
      },
    );
  }
  return {
    scopes: scopes.map((scope) => scope.report),
    differences,
    notes: scopes.flatMap((scope) => scope.notes),
    notCompared: scopes.flatMap((scope) => scope.notCompared),
    compared,
    equal: compared > 0 && differences.length === 0,
  };
}

function contextOf(scope: string, options: VerifyOptions, cells: Cells): CompareContext {
  const source = new Map(cells.source.map((cell) => [cell.name, cell]));
  const destination = new Map(cells.destination.map((cell) => [cell.name, cell]));
  return {
    scope,
    kinds: options.kinds,
    judgeAddress(name, found, original) {
      const [from, to] = [source.get(name), destination.get(name)];
      if (to === undefined) return 'wrong';
      if (to.source === 'store') return 'kept';
      if (to.source === 'CellInfo') return 'own';
      if (isPlace(found, to.address)) return 'own';
      const isSource = from !== undefined && from.source !== 'store' && sameServer(found, original);
      return isSource || cleanRoot(found.root) !== cleanRoot(to.address.root) ? 'wrong' : 'elsewhere';
    },
  };
}

interface Cells {
  readonly source: readonly Cell[];
  readonly destination: readonly Cell[];
}

/** Whether an address as recorded in CellInfo names this place. */
function isPlace({ serverAddress, root }: CellAddress, place: StoreAddress): boolean {
  return (
    cleanRoot(root) === cleanRoot(place.root) &&
    sameServer({ serverAddress }, { serverAddress: place.server })
  );
}

/** Whether two server addresses have a server in common, whatever the products. */
function sameServer(a: Pick<CellAddress, 'serverAddress'>, b: Pick<CellAddress, 'serverAddress'>): boolean {
  const hosts = ({ serverAddress }: Pick<CellAddress, 'serverAddress'>) =>
    serverAddress.split(/[,|]/).map((server) =>
      server
        .trim()
        .replace(/^https?:\/\//, '')
        .toLowerCase(),
    );
  const known = new Set(hosts(a));
  return hosts(b).some((host) => known.has(host));
}

function cleanRoot(root: string): string {
  return root
    .split('/')
    .filter((part) => part !== '')
    .join('/');
}

function unionOf(
  source: readonly Cell[],
  destination: readonly Cell[],
): { name: string; a: Cell | undefined; b: Cell | undefined }[] {
  const names = [...new Set([...source, ...destination].map((cell) => cell.name))].sort();
  const find = (cells: readonly Cell[], name: string) => cells.find((cell) => cell.name === name);
  return names.map((name) => ({ name, a: find(source, name), b: find(destination, name) }));
}

async function* noRecords(): AsyncGenerator<ScanPage> {
  yield { records: [], position: 0n };
}
