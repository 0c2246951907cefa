import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { nothingIn } from '../topo/find.js';
import { LockSearch } from '../topo/found-locks.js';
import { type Cell, GLOBAL } from '../topo/topology.js';
import { CellCheck } from './cell.js';
import { aliases } from './cells.js';
import { found, type LintFinding } from './finding.js';
import { keyspaces } from './keyspaces.js';
import { locks } from './locks.js';
import type { LintOptions } from './options.js';
import { placeCells } from './places.js';
import { Primaries } from './primaries.js';
import { RecordCheck } from './record.js';
import { rules } from './rules.js';
import { servingGraph } from './serving.js';
import { shards } from './shards.js';
import { vschemas } from './vschemas.js';
import { WorldReading } from './world.js';

/** A store that was looked at. */
export interface LintedStore {
  readonly scope: string;
  readonly records: number;
  /** False: it could not be read to its end. */
  readonly isRead: boolean;
}

/**
 * Everything that is wrong within one topology, one finding after the other as they are made; returns which stores were read. Writes
 * nothing. Reads each store once and then the serving graph; of the cells' records nothing is kept but what later ones are compared
 * with. Fails where the global store cannot be read, NoNode where it holds nothing; a cell that cannot be read is a finding.
 */
export async function* lint(options: LintOptions): AsyncGenerator<LintFinding, LintedStore[]> {
  const { topology, target, clock, lockAgeMs, signal } = options;
  const check = new RecordCheck(target);
  const world = new WorldReading(check);
  const search = new LockSearch();
  const told = new Set<string>();
  const all = noting(told);
  const stores: LintedStore[] = [];

  let records = 0;
  for await (const page of topology.global.scan('', { signal }))
    for (const record of page.records) {
      records += 1;
      search.add(record);
      yield* all(world.add(record));
    }
  if (records === 0) throw nothingIn(topology.global);
  stores.push({ scope: GLOBAL, records, isRead: true });
  yield* all(keyspaces(world, target));
  yield* all(shards(world, target));
  yield* aliases(world);
  yield* vschemas(world);
  yield* rules(world);

  const places = await placeCells(options, world);
  yield* places.found;
  const primaries = new Primaries(world);
  for (const cell of places.cells) {
    const store = yield* cellStore(options, cell, new CellCheck(cell.name, world, check, primaries), all);
    stores.push(store);
  }
  const read = stores.filter(({ scope, isRead }) => isRead && scope !== GLOBAL).map(({ scope }) => scope);
  yield* primaries.end(new Set(read));
  yield* servingGraph(options, world, read, told);
  yield* locks(await search.find(topology.global, signal), clock.now(), lockAgeMs);
  return stores;
}

async function* cellStore(
  { topology, signal }: LintOptions,
  cell: Cell,
  check: CellCheck,
  all: ReturnType<typeof noting>,
): AsyncGenerator<LintFinding, LintedStore> {
  let records = 0;
  try {
    const store = await topology.cell(cell);
    for await (const page of store.scan('', { signal }))
      for (const record of page.records) {
        records += 1;
        yield* all(check.add(record));
      }
  } catch (error) {
    if (!isTopologyError(error) || error.code === ErrorCode.Interrupted) throw error;
    const where = { path: `cells/${cell.name}/CellInfo`, cell: cell.name };
    yield found('cell-unreachable', where, `${error.message} [${error.code}]`);
    return { scope: cell.name, records, isRead: false };
  }
  yield* check.end();
  return { scope: cell.name, records, isRead: true };
}

/** Passes findings on, and keeps the places of those that what is found about the serving graph would only repeat. */
function noting(told: Set<string>) {
  return function* (findings: Iterable<LintFinding>): Generator<LintFinding> {
    for (const finding of findings) {
      if (REPEATED.has(finding.id)) told.add(`${finding.scope}:${finding.path}`);
      yield finding;
    }
  };
}

const REPEATED: ReadonlySet<string> = new Set<LintFinding['id']>([
  'undecodable',
  'partition-cover',
  'reference-key-range',
  'key-range-gap',
  'key-range-overlap',
]);
