import type { CheckedRecord, GraphState } from '../../graph/check.js';
import type { DerivedRecord } from '../../graph/derived.js';
import type { Resolution } from '../../graph/resolve.js';
import { count, type Io } from '../io.js';
import { printable } from '../lists.js';

/** What was found in the serving graph, for people. */
export function stateText(io: Io, state: GraphState): string {
  const { bold, dim, red, yellow } = io.colors;
  const shown = state.records.filter((record) => record.state === 'stale' || record.state === 'missing');
  const rest = (['current', 'unneeded'] as const).map(
    (name) => state.records.filter((record) => record.state === name).length,
  );
  return [
    ...shown.flatMap((record) => [
      `${yellow(record.state)} ${bold(placeOf(record))}`,
      ...differenceLines(record),
    ]),
    ...state.refused.flatMap(({ of, error }) => [
      `${red('refused')} ${bold(printable(of))}: ${printable(error.message)}`,
      ...(error.hint === undefined ? [] : [`    ${error.hint}`]),
    ]),
    ...state.lostServing.map(
      ({ keyspace, shard }) =>
        `${red('not serving')} ${bold(printable(`${keyspace}/${shard}`))}: served_types says that it serves, and is_primary_serving is not set`,
    ),
    ...state.withoutPrimary.map(
      ({ keyspace, shard }) =>
        `${yellow('no primary')} ${bold(printable(`${keyspace}/${shard}`))}: it serves, and no tablet is its primary`,
    ),
    ...namesText(io, state.names ?? []),
    dim(`${count(rest[0] ?? 0, 'record')} as a rebuild would make them`),
    ...((rest[1] ?? 0) === 0
      ? []
      : [dim(`${count(rest[1] ?? 0, 'record')} not there, in cells without tablets of the keyspace`)]),
  ].join('\n');
}

/** Names that do not lead to tablets, or not to those that there are, and how many do. */
function namesText(io: Io, names: readonly Resolution[]): string[] {
  if (names.length === 0) return [];
  const { bold, dim, yellow } = io.colors;
  const odd = names.filter(({ problems }) => problems.length > 0);
  return [
    ...odd.map(({ cell, name, tablets, problems }) => {
      const state = tablets.length === 0 ? 'leads nowhere' : 'leads astray';
      return `${yellow(state)} ${bold(`${cell}:${printable(name)}`)}: ${problems.map(printable).join('; ')}`;
    }),
    dim(
      `of ${count(names.length, 'name')} of the serving graph ${names.length - odd.length} lead to tablets`,
    ),
  ];
}

/** What is to be written, or was, for people. */
export function rebuiltText(io: Io, records: readonly DerivedRecord[]): string {
  return records
    .flatMap((record) => [
      `${io.colors.green(verbOf(record))} ${placeOf(record)}`,
      ...differenceLines(record),
    ])
    .join('\n');
}

/** A checked record, for programs. */
export function checkedJson({ state, ...record }: CheckedRecord) {
  return { ...derivedJson(record), state };
}

/** A derived record, for programs. */
export function derivedJson({ cell, path, kind, before, after, differences }: DerivedRecord) {
  return { cell, path, kind, before: before?.bytes, after, differences };
}

function verbOf({ before, after }: DerivedRecord): string {
  return after === undefined ? 'delete' : before === undefined ? 'create' : 'update';
}

function placeOf({ cell, path }: DerivedRecord): string {
  return `${cell}:${printable(path)}`;
}

function differenceLines({ differences }: DerivedRecord): string[] {
  return differences.map(
    ({ path, a, b }) =>
      `    ${printable(path)}: ${printable(a ?? '(absent)')} → ${printable(b ?? '(absent)')}`,
  );
}
