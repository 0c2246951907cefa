import pLimit from 'p-limit';
import { addressFromTriple, overlaps, type StoreAddress } from '../topo/address.js';
import { checkApart, checkDistinct } from '../topo/apart.js';
import type { CellAddress } from '../topo/codec.js';
import type { CallOptions, Connection, ScanPage } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { joinScans, type ScanSpan } from '../topo/join.js';
import type { Kind } from '../topo/kinds.js';
import { type Cell, GLOBAL, type Topology } from '../topo/topology.js';
import { type CompareContext, comparePairs, type Findings } from './compare.js';
import type { ScopeReport, VerifiedCounts, VerifyReport } from './report.js';

/** A comparison of two topologies, which stay open. */
export interface VerifyOptions extends CallOptions {
  readonly source: Topology;
  readonly destination: Topology;
  /** Kinds to compare; undefined: all. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
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
  const [sourceCells, destinationCells] = await Promise.all([
    source.cells(options),
    destination.cells(options),
  ]);
  checkApart(
    { global: source.address, cells: sourceCells },
    { global: destination.address, cells: destinationCells },
  );
  const limit = pLimit(options.concurrency);
  const tasks = [
    () =>
      verifyScope(
        GLOBAL,
        source.global,
        destination.global,
        contextOf(GLOBAL, options, sourceCells, destinationCells),
        options,
      ),
    ...unionOf(sourceCells, destinationCells).map(({ name, a, b }) => async () => {
      const [from, to] = await Promise.all([
        a === undefined ? undefined : source.cell(a),
        b === undefined ? undefined : destination.cell(b),
      ]);
      return verifyScope(name, from, to, contextOf(name, options, sourceCells, destinationCells), options);
    }),
  ];
  return summarise(await Promise.all(tasks.map((task) => limit(task))));
}

interface VerifiedScope extends Findings {
  readonly report: ScopeReport;
}

async function verifyScope(
  scope: string,
  from: Connection | undefined,
  to: Connection | undefined,
  context: CompareContext,
  options: VerifyOptions,
): Promise<VerifiedScope> {
  if (from !== undefined && to !== undefined) checkDistinct(from, to);
  const found: Findings = { differences: [], notes: [], notCompared: [], counts: new Map() };
  const call = { signal: options.signal, deadline: options.deadline };
  const joined = joinScans(from?.scan('', call) ?? noRecords(), to?.scan('', call) ?? noRecords());
  let compared = 0;
  for (;;) {
    const page = await joined.next();
    if (page.done === true)
      return { ...found, report: scopeReport(scope, from, to, page.value, found.counts) };
    comparePairs(found, page.value, context);
    compared += page.value.length;
    options.onProgress?.(scope, compared);
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

function contextOf(
  scope: string,
  options: VerifyOptions,
  sourceCells: readonly Cell[],
  destinationCells: readonly Cell[],
): CompareContext {
  const { implementation } = options.source.address;
  const kept = new Set(
    [...sourceCells, ...destinationCells].filter((cell) => cell.source === 'store').map((cell) => cell.name),
  );
  return {
    scope,
    kinds: options.kinds,
    // A store that holds all its parts itself keeps the addresses of the topology it was filled from.
    acceptsAddress: (cell, found, source) =>
      kept.has(cell) ||
      implementation !== options.destination.address.implementation ||
      !samePlace(implementation, found, source),
  };
}

function samePlace(implementation: string, a: CellAddress, b: CellAddress): boolean {
  const place = ({ serverAddress, root }: CellAddress): StoreAddress =>
    addressFromTriple(implementation, serverAddress, root);
  return overlaps(place(a), place(b));
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
