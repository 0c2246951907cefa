import { type Change, checkTakes } from '../topo/changes.js';
import { checkValue } from '../topo/checks.js';
import { decode, decodeProblem } from '../topo/codec.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { find } from '../topo/find.js';
import type { Topology } from '../topo/topology.js';
import { Version } from '../topo/version.js';
import { type Reason, writeReasons } from './judge.js';
import { type Problem, pathProblems, recordProblems } from './legal.js';
import { list, text } from './ranges.js';
import { listed } from './surroundings.js';
import type { Target } from './target.js';

/** What is to be written, and what whoever confirms it has to know. */
export interface EditPlan {
  readonly changes: readonly Change[];
  readonly reasons: readonly Reason[];
}

/** In which state a record must be; undefined: in the one that is there now. A text: its version, as `cat` prints it. */
export type Expected = { readonly absent: true } | { readonly version: string } | undefined;

/** NodeExists, NoNode or BadVersion for a record that is not in the state that is asked for. */
export function checkExpected({ store, path, before }: Target, expected: Expected): void {
  if (expected === undefined) return;
  const at = { path, store: store.store };
  if ('absent' in expected) {
    if (before === undefined) return;
    throw new TopologyError(ErrorCode.NodeExists, 'there is a record already', {
      ...at,
      hint: 'look at it with cat; to replace it, leave out --create',
    });
  }
  if (before === undefined) throw new TopologyError(ErrorCode.NoNode, 'there is no record', at);
  const { version } = expected;
  const wanted = version.includes('@') ? Version.parse(version) : Version.of(store.store, version);
  if (before.version.equals(wanted)) return;
  throw new TopologyError(
    ErrorCode.BadVersion,
    `the record has version ${before.version.token}, and not ${wanted.token}${wanted.store === store.store ? '' : ' of another store'}`,
    { ...at, hint: 'somebody changed it since: look at it with cat' },
  );
}

/**
 * Plans a record of these bytes: nothing when they are there already. TooLarge; as {@link checkTakes}; unless forced, Usage for what Vitess takes
 * for wrong and what the record did not have before.
 */
export async function planWrite(
  target: Target,
  bytes: Uint8Array,
  options: CallOptions & { readonly force: boolean },
): Promise<EditPlan> {
  const { store, scope, path, before } = target;
  checkValue(store, path, bytes);
  if (before !== undefined && Buffer.compare(before.bytes, bytes) === 0) return { changes: [], reasons: [] };
  checkTakes(store, { path, before, after: bytes });
  const problems = await newProblems(target, bytes, options);
  const [first] = problems;
  if (first !== undefined && !options.force) throw illegal(target, first, problems.length - 1);
  const forced = problems.map(({ text: problem }) => ({
    scope,
    path,
    reason: `forced: ${problem}`,
    needs: 'nothing' as const,
  }));
  return {
    changes: [{ scope, path, before, after: bytes }],
    reasons: [...forced, ...emptyReasons(target, bytes), ...writeReasons(target, bytes)],
  };
}

/** What a command that failed pipes into another is empty, too. */
function emptyReasons({ scope, path }: Target, bytes: Uint8Array): Reason[] {
  if (bytes.byteLength > 0) return [];
  return [{ scope, path, reason: 'the record is to hold zero bytes', needs: 'yes' }];
}

function illegal({ store, path }: Target, { text: problem, hint }: Problem, more: number): TopologyError {
  const rest = more === 0 ? '' : ` (and ${more} more)`;
  return new TopologyError(ErrorCode.Usage, `${problem}${rest}`, {
    path,
    store: store.store,
    hint: `${hint ?? 'nothing is written'}; to write it all the same, add --force`,
  });
}

/** What is wrong, and was not wrong before: who changes one field need not answer for another. */
async function newProblems(target: Target, bytes: Uint8Array, options: CallOptions): Promise<Problem[]> {
  const { before, row } = target;
  const named = pathProblems(target);
  const found =
    row.message === null
      ? []
      : [...recordProblems(row.message, bytes, target), ...(await aliasProblems(target, bytes, options))];
  if (before === undefined) return [...named, ...(await directoryProblems(target, options)), ...found];
  const old = row.message === null ? [] : recordProblems(row.message, before.bytes, target);
  const known = new Set(old.map((problem) => problem.text));
  // The names of a record that exists were somebody else's choice.
  return [...named.filter(({ always }) => always), ...found.filter((one) => !known.has(one.text))];
}

async function directoryProblems({ store, path }: Target, options: CallOptions): Promise<Problem[]> {
  try {
    await store.listDir(path, options);
    return [{ text: 'this is a directory', hint: 'name the record in it' }];
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  }
}

async function aliasProblems(target: Target, bytes: Uint8Array, options: CallOptions): Promise<Problem[]> {
  if (target.row.kind !== 'CellsAlias') return [];
  const cells = aliasCells(bytes);
  const known = await listed(target.topology, 'cells', options);
  const found = cells
    .filter((cell) => !known.includes(cell))
    .map((cell) => ({
      text: `the topology has no cell ${cell}`,
      hint: `it has ${known.join(', ') || 'none'}`,
    }));
  for (const alias of await listed(target.topology, 'cells_aliases', options)) {
    if (alias === target.names['alias']) continue;
    const shared = (await cellsOf(target.topology, alias, options)).filter((cell) => cells.includes(cell));
    found.push(
      ...shared.map((cell) => ({
        text: `cell ${cell} is in alias ${alias} already`,
        hint: 'a cell can be in one alias: topo2topo cell alias takes it from the other',
      })),
    );
  }
  return found;
}

async function cellsOf(topology: Topology, alias: string, options: CallOptions): Promise<string[]> {
  const record = await find(topology.global, `cells_aliases/${alias}/CellsAlias`, options);
  return record === undefined ? [] : aliasCells(record.bytes);
}

function aliasCells(bytes: Uint8Array): string[] {
  if (decodeProblem('topodata.CellsAlias', bytes) !== undefined) return [];
  return list(decode('topodata.CellsAlias', bytes).json['cells']).map(text);
}
