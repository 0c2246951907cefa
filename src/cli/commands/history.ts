import type { HistoryEnd, PastState } from '../../topo/connection.js';
import type { FieldDifference } from '../../topo/diff.js';
import { classify } from '../../topo/kinds.js';
import { GLOBAL } from '../../topo/topology.js';
import type { Command } from '../command.js';
import { differencesOf, fieldLine } from '../differences.js';
import { Exit } from '../exit.js';
import { type Flags, usage } from '../flags.js';
import { count, type Io, json, size } from '../io.js';
import { printable } from '../lists.js';
import { LOOK_FLAGS, LOOK_WORDS, lookAt, storeOf } from '../looking.js';

export const historyCommand: Command = {
  command: 'history [address] [path]',
  describe: 'show what a record was before, newest first, as far as its store keeps it (etcd)',
  words: LOOK_WORDS,
  flags: [
    ...LOOK_FLAGS,
    { name: 'limit', alias: 'n', kind: 'number', describe: 'how many states to show (default: all)' },
  ],
  examples: [
    [
      '$0 history etcd2://etcd1:2379/vitess/global keyspaces/commerce/VSchema',
      'each state, and what changed',
    ],
    [
      '$0 history etcd2://etcd1:2379/vitess/global keyspaces/commerce/Keyspace -n 1 --output json',
      'the last state, for a record that is gone its deletion',
    ],
  ],
  run: (flags: Flags, io: Io, signal: AbortSignal) =>
    lookAt(flags, io, signal, async ({ topology, scope = GLOBAL, path }) => {
      if (path === '') throw usage('no path is given', 'give the path of a record, below the root');
      const store = await storeOf(topology, scope, signal);
      const { kind, message } = classify(scope === GLOBAL ? 'global' : 'cell', path, false);
      const limit = flags['limit'] === undefined ? Number.POSITIVE_INFINITY : Number(flags['limit']);
      const asJson = flags['output'] === 'json';
      const states: Told[] = [];
      let end: HistoryEnd['reason'] | 'limit' = 'limit';
      for await (const told of tellAll(store.history(path, { signal }), message, limit)) {
        if (typeof told === 'string') end = told;
        else if (asJson) states.push(told);
        else io.out(stateText(io, told, states.push(told) === 1));
      }
      if (asJson)
        io.out(
          json({ command: 'history', scope, path, store: store.store, kind, states: states.map(plain), end }),
        );
      else io.out(endText(io, end, states.length));
      return Exit.Ok;
    }),
};

/** A state, and how it came about from the one before it. */
interface Told extends Pick<PastState, 'value' | 'position'> {
  /** `deleted`, `created` where there was none before, `changed`, or `kept`: what was before is not known. */
  readonly how: 'deleted' | 'created' | 'changed' | 'kept';
  /** Undefined: there is nothing to compare, or one of the two does not decode. */
  readonly differences: readonly FieldDifference[] | undefined;
}

/** States with their differences to the ones before, for which one more than `limit` is read; the reason of the end last. */
async function* tellAll(
  items: AsyncIterable<PastState | HistoryEnd>,
  message: string | null,
  limit: number,
): AsyncGenerator<Told | HistoryEnd['reason'] | 'limit'> {
  let newer: PastState | undefined;
  let told = 0;
  for await (const item of items) {
    if (newer !== undefined) {
      yield tell(newer, item, message);
      told += 1;
    }
    if (item.type === 'end') {
      yield item.reason;
      return;
    }
    if (told === limit) return;
    newer = item;
  }
}

function tell({ value, position }: PastState, before: PastState | HistoryEnd, message: string | null): Told {
  const state = { value, position, differences: undefined };
  if (value === undefined) return { ...state, how: 'deleted' };
  if (before.type === 'end') return { ...state, how: before.reason === 'created' ? 'created' : 'kept' };
  if (before.value === undefined) return { ...state, how: 'created' };
  const differences = message === null ? undefined : differencesOf(message, before.value.bytes, value.bytes);
  return { ...state, how: 'changed', differences };
}

const HOW: Readonly<Record<Told['how'], string>> = {
  deleted: 'deleted',
  created: 'created',
  changed: 'changed',
  kept: 'written',
};

function stateText(io: Io, told: Told, newest: boolean): string {
  const { bold, dim } = io.colors;
  const { value, position } = told;
  const parts = value === undefined ? [] : [`version ${value.version.token}`, size(value.bytes.byteLength)];
  const at = `at position ${position}`;
  const now = newest && value !== undefined ? dim(' (now)') : '';
  return [`${bold(HOW[told.how])} ${[...parts, at].join(', ')}${now}`, ...changeLines(told)].join('\n');
}

function changeLines({ how, differences }: Told): string[] {
  if (how !== 'changed') return [];
  if (differences === undefined) return ['    (bytes that are not compared field by field)'];
  return differences.length === 0 ? ['    (no field differs)'] : differences.map(fieldLine);
}

function endText(io: Io, end: HistoryEnd['reason'] | 'limit', shown: number): string {
  const text = {
    created: 'nothing before: the history is whole',
    compacted: 'what was before is compacted away: the store does not know it any more',
    limit: `${printable(count(shown, 'state'))} shown; there are older ones`,
  }[end];
  return io.colors.dim(text);
}

function plain({ value, position, how, differences }: Told) {
  return {
    how,
    position,
    ...(value === undefined
      ? {}
      : { version: value.version.token, size: value.bytes.byteLength, ephemeral: value.ephemeral }),
    ...(how === 'changed'
      ? { differences: differences?.map(({ path, a, b }) => ({ path, before: a, after: b })) }
      : {}),
    record: value?.bytes,
  };
}
