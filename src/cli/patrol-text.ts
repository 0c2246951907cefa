import { formatAddress } from '../topo/address.js';
import { CLASSES, type Class } from '../verify/classes.js';
import type { PatrolState, PlacedStanding, SeenWrite, VerdictChange } from '../verify/patrol-options.js';
import type { Authority } from '../verify/settle.js';
import { errorCode, errorSentence } from './failure.js';
import { count, type Io } from './io.js';
import { printable } from './lists.js';
import { differencesOf, failuresOf } from './patrol-health.js';
import type { Pair } from './topologies.js';
import { selectionText } from './verify-text.js';

/** A change of the verdict, or of what it stands on, in one line. */
export function verdictLine(io: Io, { verdict, at, state, differences }: VerdictChange): string {
  const { green, red, yellow } = io.colors;
  const paint = { equal: green, accepted: yellow, different: red, inconclusive: yellow, unknown: yellow }[
    verdict
  ];
  const failures = failuresOf(state.parts, state.failure).map(
    ({ scope, error }) => `${scope}: ${printable(errorSentence(error))} [${errorCode(error)}]`,
  );
  const why = [
    ...(verdict === 'unknown' ? [] : [countsText(state), ...named(state, differences)]),
    ...failures,
  ];
  const of = state.selection === undefined ? '' : ' in a selection';
  return `${iso(at)} ${paint(verdict)}${of}: ${[...why, ...selectionOf(state)].join('; ')}`;
}

function selectionOf({ selection }: PatrolState): string[] {
  return selection === undefined ? [] : [selectionText(selection)];
}

/** How a patrol ended, in one line. */
export function endLine(io: Io, state: PatrolState, now: number): string {
  const writes = state.writes === 0 ? '' : `; ${count(state.writes, 'write')} seen on the other side`;
  return `${iso(now)} ${io.colors.bold('ended')}: ${[state.verdict ?? 'no verdict yet', countsText(state), ...selectionOf(state)].join(', ')}; the verdict changed ${state.changes === 1 ? 'once' : `${state.changes} times`}${writes}`;
}

function countsText({ parts }: PatrolState): string {
  const compared = parts.reduce((sum, part) => sum + part.compared, 0);
  const differing = parts.reduce((sum, part) => sum + differencesOf(part), 0);
  const ignored = parts.reduce((sum, part) => sum + part.ignored, 0);
  const left = parts.reduce((sum, part) => sum + part.notCompared, 0);
  const open = parts.reduce((sum, part) => sum + part.open, 0);
  const classes = [...classesOf(parts)].map(([name, number]) => `${number} ${name}`);
  return [
    `${count(differing, 'difference')}${classes.length === 0 ? '' : ` (${classes.join(', ')})`}`,
    ...(ignored === 0 ? [] : [`${ignored} ignored`]),
    ...(open === 0 ? [] : [`${open} undecided`]),
    `${count(compared, 'record')} compared`,
    ...(left === 0 ? [] : [`${left} not compared`]),
  ].join(', ');
}

/** Differences of all parts by class, the worst first. */
function classesOf(parts: PatrolState['parts']): Map<Class, number> {
  const sums = CLASSES.toReversed().map(
    (each) => [each, parts.reduce((sum, { classes }) => sum + (classes.get(each) ?? 0), 0)] as const,
  );
  return new Map(sums.filter(([, number]) => number > 0));
}

function named({ parts }: PatrolState, differences: readonly PlacedStanding[]): string[] {
  const marks = { missing: '-', extra: '+', different: '~' } as const;
  const all = parts.reduce((sum, part) => sum + differencesOf(part), 0);
  const more =
    all > differences.length && differences.length > 0 ? [`and ${all - differences.length} more`] : [];
  const shown = differences.map(
    ({ scope, path, type, class: found }) =>
      `${type in marks ? `${marks[type as keyof typeof marks]} ` : ''}${scope}:${printable(path)} ${found}`,
  );
  return [...shown, ...more];
}

/** A write that was seen in the store that is not the authority, in one line. */
export function writeLine(io: Io, write: SeenWrite, authority: Authority): string {
  const { side, scope, path, version, at, mirrored } = write;
  const where = authority === 'destination' ? `the ${side}, which was left` : `the ${side}`;
  const what = version === undefined ? `deleted in ${where}` : `written to ${where}`;
  const how =
    mirrored === undefined
      ? ''
      : mirrored
        ? `, as the ${authority} has it`
        : `, and not as the ${authority} has it`;
  return `${iso(at)} ${io.colors.red(what)}: ${scope}:${printable(path)}${version === undefined ? '' : `, version ${printable(version)}`}${how}`;
}

/** The events of a patrol, for programs: schema/verify-watch.schema.json. */
export const patrolJson = {
  start: (pair: Pair, authority: Authority): object => ({
    type: 'start',
    from: formatAddress(pair.source.address),
    to: formatAddress(pair.destination.address),
    authority,
  }),
  verdict: ({ verdict, was, at, state, differences }: VerdictChange): object => ({
    type: 'verdict',
    at: iso(at),
    verdict,
    was: was ?? null,
    ...countsJson(state),
    differing: differences.map(({ scope, path, kind, type, class: found }) => ({
      scope,
      path,
      kind,
      type,
      class: found,
    })),
    why: failuresOf(state.parts, state.failure).map(({ scope, error }) => ({
      scope,
      code: errorCode(error),
      message: errorSentence(error),
    })),
  }),
  write: ({ at, side, scope, path, kind, version, mirrored }: SeenWrite): object => ({
    type: 'write',
    at: iso(at),
    side,
    scope,
    path,
    kind,
    version: version ?? null,
    mirrored: mirrored ?? null,
  }),
  end: (state: PatrolState, now: number): object => ({
    type: 'end',
    at: iso(now),
    verdict: state.verdict ?? null,
    ...countsJson(state),
    changes: state.changes,
    writes: state.writes,
  }),
} as const;

function countsJson({ parts, selection }: PatrolState): object {
  const sum = (of: (part: PatrolState['parts'][number]) => number) =>
    parts.reduce((all, part) => all + of(part), 0);
  return {
    compared: sum(({ compared }) => compared),
    classes: Object.fromEntries(classesOf(parts)),
    ignored: sum(({ ignored }) => ignored),
    undecided: sum(({ open }) => open),
    notCompared: sum(({ notCompared }) => notCompared),
    ...(selection === undefined ? {} : { selection }),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
