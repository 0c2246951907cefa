import type { WriteAction, WriteEntry } from '../copy/entries.js';
import type { FollowState, PartState } from '../copy/follow-options.js';
import type { Plan } from '../copy/plan.js';
import { durationText } from './durations.js';
import { errorText, failureJson } from './failure.js';
import { count, type Io } from './io.js';
import { reasonLines } from './lists.js';
import { nextText } from './next-steps.js';
import { transcodedJson, transcodedLines } from './transcoded-text.js';

/** What a follower wrote, by what it did. */
export type WrittenCounts = Record<WriteAction, number>;

/** Adds what was written. */
export function addWritten(counts: WrittenCounts, entries: readonly WriteEntry[]): void {
  for (const { action } of entries) counts[action] += 1;
}

/** How far a follower is, in one line; with what fails in lines below it. */
export function stateText(io: Io, state: FollowState): string {
  const { phase, passes, written, waiting, failure, parts } = state;
  const passed = `${passes} complete ${passes === 1 ? 'pass' : 'passes'}`;
  const blind = parts.filter(({ watched }) => !watched).map(({ scope }) => scope);
  const strange = parts.reduce((sum, part) => sum + part.strange, 0);
  const head = [
    `${phase}: ${passed}, ${count(written, 'record')} written`,
    `${count(waiting, 'path')} waiting, ${lagText(state.lagMs)}`,
    ...(blind.length === 0 ? [] : [`no watch of ${blind.join(', ')}`]),
    ...(strange === 0 ? [] : [`${count(strange, 'record')} in an unknown state`]),
  ].join(', ');
  return phase === 'failing' && failure !== undefined ? `${head}\n${errorText(io, failure)}` : head;
}

/** What a follower is doing, for a live view: a line for all, and one for each cell. `now` in milliseconds since the epoch. */
export function stateLines(io: Io, state: FollowState, now: number): string[] {
  const age = state.passed === undefined ? '' : `, the last ${durationText(now - state.passed)} ago`;
  const [head = '', ...more] = stateText(io, state).split('\n');
  return [`${head}${age}`, ...more, ...state.parts.map(partLine)];
}

function partLine({ scope, waiting, waitingMs, watched }: PartState): string {
  const wait = waiting === 0 ? 'equal' : `${count(waiting, 'path')} waiting, ${lagText(waitingMs)}`;
  return `  ${scope.padEnd(12)} ${wait}${watched ? '' : ', no watch'}`;
}

function lagText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s behind`;
}

/** How far a follower is, for programs. */
export function stateJson(state: FollowState): object {
  const { failure, passed, ...rest } = state;
  return {
    type: 'follow',
    ...rest,
    ...(passed === undefined ? {} : { passed: new Date(passed).toISOString() }),
    ...(failure === undefined ? {} : { failure: failureJson(failure) }),
  };
}

/** A complete pass, for programs. */
export function passJson(plan: Plan, number: number, ms: number): object {
  return {
    type: 'pass',
    number,
    ms,
    scopes: plan.scopes.map(({ scope, read, toWrite }) => ({ scope, read, toWrite })),
  };
}

/** What a follower did in all. */
export interface FollowEnd {
  readonly state: FollowState;
  readonly written: Readonly<WrittenCounts>;
  /** Of the last complete pass; undefined: there was none. */
  readonly plan: Plan | undefined;
  /** What to do next. */
  readonly next: readonly string[];
}

/** The end of a follower, for people: what was written, what became of records in another form, what was left out and why, what to do next. */
export function endText(io: Io, { state, written, plan, next }: FollowEnd): string {
  const { passes, waiting } = state;
  const actions = Object.entries(written).filter(([, number]) => number > 0);
  const by = actions.map(([action, number]) => `${action} ${number.toLocaleString('en-US')}`).join(', ');
  const left = (plan?.scopes ?? []).flatMap((scope) =>
    [...scope.skipped()].map(({ path, reason }) => ({ scope: scope.scope, path, reason })),
  );
  return [
    `${io.colors.bold('ended')}: ${passes} complete ${passes === 1 ? 'pass' : 'passes'}, ${count(state.written, 'record')} written${by === '' ? '' : ` (${by})`}; ${restText(passes, waiting)}`,
    ...(plan === undefined ? [] : transcodedLines(io, plan)),
    ...reasonLines(io, 'left out', left),
    ...(next.length === 0 ? [] : [nextText(io, next)]),
  ].join('\n');
}

function restText(passes: number, waiting: number): string {
  if (passes === 0) return 'the first copy is not finished';
  return waiting === 0 ? 'nothing waits' : `${count(waiting, 'path')} not brought over yet`;
}

/** The end of a follower, for programs. */
export function endJson({ state, written, plan, next }: FollowEnd): object {
  const transcoded = (plan?.scopes ?? []).flatMap((scope) => {
    const told = transcodedJson(scope);
    return Object.keys(told).length === 0 ? [] : [[scope.scope, told] as const];
  });
  return {
    ...stateJson(state),
    type: 'end',
    ...(transcoded.length === 0 ? {} : { transcoded: Object.fromEntries(transcoded) }),
    actions: written,
    skipped: (plan?.scopes ?? []).flatMap((scope) =>
      [...scope.skipped()].map(({ path, kind, reason }) => ({ scope: scope.scope, path, kind, reason })),
    ),
    next,
  };
}
