import type { SplitRequest, Step } from '../../cells/split.js';
import type { SplitState } from '../../cells/split-state.js';
import type { Io } from '../io.js';
import { listLines, printable } from '../lists.js';

/** All steps of a split, and how far it is, for people. */
export function stepsText(io: Io, { old, added, removeOld }: SplitRequest, steps: readonly Step[]): string {
  const end = removeOld ? `${old} goes away` : `${old} stays`;
  return [
    io.colors.bold(printable(`${old} → ${added.join(', ')}; ${end}`)),
    ...steps.map((step) => {
      const [state, more] = [stateOf(step, steps), step.done ? '' : ` (${step.details.length})`];
      const by = step.by === 'operator' ? 'you: ' : '';
      return `  ${mark(io, state)} ${by}${printable(step.title)}${state === 'later' ? more : ''}`;
    }),
  ].join('\n');
}

/** What comes next, and who does it, for people. */
export function nextText(io: Io, steps: readonly Step[], state: SplitState): string {
  const next = steps.find(({ done }) => !done);
  if (next === undefined) return `${io.colors.green('done')} all steps`;
  const who = next.by === 'tool' ? 'next, by this command with --yes' : 'next, by you';
  return [
    ...listLines(io, `${who}: ${printable(next.title)}`, next.details),
    ...(next.name === 'clear' && state.old.info !== undefined
      ? [`    ${state.old.name} has no record any more: add ${oldAddress(state).join(' ')}`]
      : []),
  ].join('\n');
}

/** The steps, for programs. */
export function stepsJson(steps: readonly Step[]) {
  return steps.map((step) => {
    const { name, by, title, details } = step;
    return { name, by, state: stateOf(step, steps), title, details };
  });
}

/** Flags that say where the old cell's store is once its record is gone. */
export function oldAddress({ old }: SplitState): string[] {
  return ['--cell-address', `${old.name}=${old.address.server},${old.address.root}`];
}

function stateOf(step: Step, steps: readonly Step[]): 'done' | 'next' | 'later' {
  if (step.done) return 'done';
  return steps.find(({ done }) => !done) === step ? 'next' : 'later';
}

function mark(io: Io, state: 'done' | 'next' | 'later'): string {
  const { green, yellow, dim } = io.colors;
  return { done: green, next: yellow, later: dim }[state](state.padEnd(5));
}
