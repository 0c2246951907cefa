import { formatAddress } from '../topo/address.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { recordsInUse } from './contents.js';
import { checkNewName } from './names.js';
import type { CellsAlias } from './read.js';
import type { SplitState } from './split-state.js';

/** What a split is to become. */
export interface SplitRequest {
  readonly old: string;
  readonly added: readonly string[];
  /** Whether the new cells join the alias of the old one, so that its vtgates send to them. Undefined: nobody said it. */
  readonly alias: 'join' | 'apart' | undefined;
  /** Whether the old cell goes away in the end. */
  readonly removeOld: boolean;
  /** Somebody says that no vtgate, VTOrc or vtctld runs in the old cell any more: no record shows it. */
  readonly vtgatesMoved: boolean;
  /** Take tablets whose records do not say that they were stopped for stopped. */
  readonly force: boolean;
}

/** What the tool does, by what is written; the rest is the operator's. */
export type DataStep = 'add' | 'join' | 'serve' | 'empty' | 'leave' | 'remove' | 'clear';

/** One step of a split. */
export interface Step {
  readonly name: DataStep | 'start' | 'reparent' | 'move' | 'stop';
  readonly by: 'tool' | 'operator';
  readonly title: string;
  readonly done: boolean;
  /** What is still to be done, in the order of names; for the operator with the commands that do it. */
  readonly details: readonly string[];
}

/** Checks the names in a request. Usage, InvalidPath. */
export function checkRequest({ old, added }: SplitRequest): void {
  for (const name of added) checkNewName(name);
  const twice = added.find((name, index) => added.indexOf(name) !== index);
  if (twice !== undefined) throw usage(`cell ${twice} is named twice`, 'name each new cell once');
  if (added.includes(old))
    throw usage(
      `cell ${old} cannot be split into itself`,
      'a cell cannot be renamed: give the new one a name',
    );
}

/**
 * All steps of a split, in their order: the first that is not done is next. A pure function of the present state, so that an
 * interrupted split goes on where it was.
 */
export function stepsOf(state: SplitState, request: SplitRequest): Step[] {
  const made = [add(state), ...join(state, request), serve(state)];
  if (!request.removeOld) return [...made, start(state, request)];
  const emptied = [
    start(state, request),
    reparent(state, request),
    move(state, request),
    stop(state, request),
    empty(state),
  ];
  // What lies at its place once its record is gone need not be its own: nothing is emptied then, only what is left is looked at.
  const settled = state.old.info === undefined ? emptied.map(doneStep) : emptied;
  return [...made, ...settled, leave(state), remove(state), clear(state)];
}

/** The step, done. */
export function doneStep(step: Step): Step {
  return { ...step, done: true, details: [] };
}

function add({ added }: SplitState): Step {
  const missing = added.filter(({ info }) => info === undefined).map(({ name }) => name);
  return step('add', 'tool', `add ${namesOf(added)}, with CellInfo`, missing);
}

function join({ old, added, aliases }: SplitState, { alias }: SplitRequest): Step[] {
  const [region] = aliasesWith(aliases, old.name);
  if (alias === 'apart' || region === undefined) return [];
  const outside = added.filter(({ name }) => !region.cells.includes(name)).map(({ name }) => name);
  return [
    step('join', 'tool', `let ${namesOf(added)} join alias ${region.name}, which ${old.name} is in`, outside),
  ];
}

function serve({ added, keyspaces }: SplitState): Step {
  const missing = added.flatMap(({ name, contents }) =>
    missingIn(contents?.srvKeyspaces.map(({ path }) => path) ?? [], contents?.srvVSchema, keyspaces).map(
      (path) => `${name}:${path}`,
    ),
  );
  return step('serve', 'tool', `make SrvKeyspace and SrvVSchema of ${namesOf(added)}`, missing);
}

function missingIn(present: readonly string[], vschema: unknown, keyspaces: readonly string[]): string[] {
  const wanted = keyspaces.map((keyspace) => `keyspaces/${keyspace}/SrvKeyspace`);
  return [
    ...wanted.filter((path) => !present.includes(path)),
    ...(vschema === undefined ? ['SrvVSchema'] : []),
  ];
}

function start(state: SplitState, { removeOld, force }: SplitRequest): Step {
  const { old, added } = state;
  const running = added.flatMap(({ contents }) => contents?.tablets.filter((each) => each.running) ?? []);
  if (removeOld) {
    const moved = new Set(running.map(({ shard }) => shard));
    const left = force ? [] : shardsOf(old.contents.tablets.filter((each) => each.running));
    const details = left.filter((shard) => !moved.has(shard));
    return step('start', 'operator', `start tablets in ${namesOf(added)}, of each of these shards`, details);
  }
  const cells = new Set(running.map(({ alias }) => cellOf(alias)));
  const details = added.map(({ name }) => name).filter((name) => !cells.has(name));
  return step('start', 'operator', `start tablets in ${namesOf(added)}: new ones, by the usual way`, details);
}

function reparent({ old, shards }: SplitState, { force }: SplitRequest): Step {
  const held = new Set(shardsOf(old.contents.tablets));
  const details = shards.flatMap(({ name, primaryCell }) => {
    if (primaryCell === old.name) return [`PlannedReparentShard ${name} --new-primary …`];
    return primaryCell === undefined && held.has(name) && !force ? [`${name} has no primary at all`] : [];
  });
  return step('reparent', 'operator', `make tablets of other cells the primaries`, details);
}

/** vtgates leave no trace in a topology. */
function move({ old, added }: SplitState, { vtgatesMoved }: SplitRequest): Step {
  // Without SrvKeyspace it could not serve anything.
  const gone = old.contents.srvKeyspaces.length === 0;
  const to = added.map(({ name }) => name).join(' or ');
  const details = [
    `restart vtgate, VTOrc and vtctld that have --cell ${old.name} with --cell ${to}`,
    `take ${old.name} out of --cells_to_watch`,
    'let no workflow name it in its --cells',
    'then add --vtgates-moved here: no record shows it',
  ];
  return step(
    'move',
    'operator',
    `let no process but tablets use ${old.name}`,
    gone || vtgatesMoved ? [] : details,
  );
}

function stop({ old }: SplitState, { force }: SplitRequest): Step {
  const running = old.contents.tablets.filter((each) => each.running).map(({ alias }) => alias);
  return step('stop', 'operator', `stop the tablets of ${old.name}`, force ? [] : running);
}

function empty({ old }: SplitState): Step {
  const details = recordsInUse(old.contents).map(({ path }) => `${old.name}:${path}`);
  return step('empty', 'tool', `delete what ${old.name} has of tablets and keyspaces`, details);
}

function leave({ old, aliases }: SplitState): Step {
  const named = aliasesWith(aliases, old.name).map(({ name }) => name);
  return step('leave', 'tool', `take ${old.name} out of its alias`, named);
}

function remove({ old }: SplitState): Step {
  const details = old.info === undefined ? [] : [`global:cells/${old.name}/CellInfo`];
  return step('remove', 'tool', `delete CellInfo of ${old.name}`, details);
}

function clear({ old }: SplitState): Step {
  // Until the cell is gone, what is in use is what the steps before this delete.
  const strange = old.info === undefined ? recordsInUse(old.contents) : [];
  const details = [
    ...old.shares.map((whose) => `it is also the place of ${whose}`),
    ...strange.map(({ path }) => path),
    ...(old.contents.srvVSchema === undefined ? [] : ['SrvVSchema']),
    ...old.contents.others,
  ];
  const title = `delete what is left of ${old.name} at ${formatAddress(old.address)}`;
  return step('clear', 'tool', title, details);
}

function step(name: Step['name'], by: Step['by'], title: string, details: readonly string[]): Step {
  return { name, by, title, done: details.length === 0, details };
}

function aliasesWith(aliases: readonly CellsAlias[], cell: string): CellsAlias[] {
  return aliases.filter(({ cells }) => cells.includes(cell));
}

function shardsOf(tablets: readonly { readonly shard: string }[]): string[] {
  return [...new Set(tablets.map(({ shard }) => shard))].sort();
}

function cellOf(alias: string): string {
  return alias.slice(0, alias.lastIndexOf('-'));
}

function namesOf(cells: readonly { readonly name: string }[]): string {
  return cells.map(({ name }) => name).join(', ');
}

function usage(message: string, hint: string): TopologyError {
  return new TopologyError(ErrorCode.Usage, message, { hint });
}
