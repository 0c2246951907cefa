import { checkGraph, type GraphPart, type GraphState } from '../graph/check.js';
import { isAtLeast } from '../graph/target.js';
import { ErrorCode, type TopologyError } from '../topo/errors.js';
import { listed } from '../topo/finding.js';
import { found, type LintFinding } from './finding.js';
import type { LintOptions } from './options.js';
import type { KnownKeyspace, World } from './world.js';

/**
 * Whether the serving graph of some cells is what a rebuild would make of it. `told`: places `<scope>:<path>` of which something was
 * found that the same rebuild mends, or that has to be mended before.
 */
export async function* servingGraph(
  { topology, target, signal }: LintOptions,
  world: World,
  cells: readonly string[],
  told: ReadonlySet<string>,
): AsyncGenerator<LintFinding> {
  // No cells would mean all of them.
  if (cells.length === 0) return;
  // What a snapshot keyspace lacks is told by its key ranges.
  const part: GraphPart = { target, cells, allowPartial: true, keyspaces: [], vschema: true, signal };
  for (const keyspace of world.keyspaces.values()) {
    if (!keyspace.hasRecord) continue;
    const { name } = keyspace;
    const state = await checkGraph(topology, { ...part, keyspaces: [name], vschema: false });
    // A rebuild would take its shards out of service: their flag comes first.
    if (state.lostServing.length > 0) continue;
    yield* ofKeyspace(state, keyspace, told, isAtLeast(target, 17));
  }
  const { records } = await checkGraph(topology, part);
  for (const record of records) yield* ofVSchema(record, told);
}

type CheckedRecord = GraphState['records'][number];

function* ofKeyspace(
  { records, refused }: GraphState,
  { name }: KnownKeyspace,
  told: ReadonlySet<string>,
  checksNames: boolean,
): Generator<LintFinding> {
  for (const { error } of refused)
    if (!told.has(`global:keyspaces/${name}`) && !isTold(error, checksNames))
      yield found('graph-refused', { path: `keyspaces/${name}`, keyspace: name }, error.message);
  for (const { cell, path, state, differences } of records) {
    const where = { scope: cell, path, cell, keyspace: name };
    if (told.has(`${cell}:${path}`)) continue;
    if (state === 'missing')
      yield found('graph-missing', where, 'there is no such record, and tablets are there');
    if (state === 'stale') yield found('graph-stale', where, differ(differences));
  }
}

/** Records that do not decode are found one by one, and so are names that Vitess does not take. */
function isTold({ code }: TopologyError, checksNames: boolean): boolean {
  return code === ErrorCode.Corrupt || (code === ErrorCode.InvalidPath && checksNames);
}

function* ofVSchema(
  { cell, path, state, differences }: CheckedRecord,
  told: ReadonlySet<string>,
): Generator<LintFinding> {
  const where = { scope: cell, path, cell };
  if (told.has(`${cell}:${path}`)) return;
  if (state === 'missing') yield found('graph-missing', where, 'there is no such record', 'warn');
  if (state !== 'stale') return;
  const whole = differences.flatMap((difference) => {
    const [, keyspace] = /^keyspaces\[([^\]]*)\]$/.exec(difference.path) ?? [];
    return keyspace === undefined ? [] : [{ ...difference, keyspace }];
  });
  const lacking = whole.filter(({ a }) => a === undefined).map(({ keyspace }) => keyspace);
  const gone = whole.filter(({ b }) => b === undefined).map(({ keyspace }) => keyspace);
  if (lacking.length > 0) yield found('srv-vschema-lacks', where, `it lacks ${listed(lacking)}`);
  if (gone.length > 0) yield found('srv-vschema-gone', where, `it has ${listed(gone)}`);
  const rest = differences.filter(({ path: at }) => !whole.some((each) => each.path === at));
  if (rest.length > 0) yield found('graph-stale', where, differ(rest));
}

function differ(differences: CheckedRecord['differences']): string {
  return `it differs in ${listed(differences.map(({ path }) => path))}`;
}
