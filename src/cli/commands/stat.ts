import { ahead } from '../../looking/ahead.js';
import { entryOf, stateOf } from '../../looking/entries.js';
import { kindOf, messageOf } from '../../looking/forms.js';
import { candidates, fixedPart } from '../../looking/matches.js';
import { nothingAt, nothingMatches } from '../../looking/nearby.js';
import type { CallOptions, Connection } from '../../topo/connection.js';
import { readProblem } from '../../topo/find.js';
import type { Kind } from '../../topo/kinds.js';
import { type Loss, showLoss } from '../../topo/told.js';
import { GLOBAL } from '../../topo/topology.js';
import { hasWildcard } from '../../topo/wildcards.js';
import type { Command } from '../command.js';
import { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { count, type Io, json, outLines } from '../io.js';
import { printable } from '../lists.js';
import { LOOK_FLAGS, LOOK_WORDS, lookAt, storeOf } from '../looking.js';

export const statCommand: Command = {
  command: 'stat [address] [path]',
  describe: 'say what a record or directory is, without its contents',
  words: LOOK_WORDS,
  flags: LOOK_FLAGS,
  examples: [
    ['$0 stat zk2://zk1:2181/vitess/global keyspaces/commerce/Keyspace', 'kind, bytes, version …'],
    ["$0 stat zk2://zk1:2181/vitess/global 'keyspaces/*/shards/*/Shard'", 'of several'],
  ],
  run: (flags: Flags, io: Io, signal: AbortSignal) =>
    lookAt(flags, io, signal, async ({ topology, scope = GLOBAL, path }) => {
      const store = await storeOf(topology, scope, signal);
      const isPattern = hasWildcard(path);
      const paths = isPattern ? await candidates(store, path, { signal }) : [path];
      const found: Status[] = [];
      for await (const status of ahead(paths, (each) => statusOf(scope, store, each, { signal })))
        if (status !== undefined) found.push(status);
      if (found.length === 0)
        throw isPattern
          ? await nothingMatches(store, path, fixedPart(path), { signal })
          : await nothingAt(store, path, { signal });
      const of = { store: store.store, position: await store.position({ signal }) };
      if (flags['output'] === 'json') {
        const shown = found.map((status) => ({ ...status, ...of }));
        io.out(json(isPattern ? shown : shown[0]));
        return Exit.Ok;
      }
      for (const status of found) outLines(io, statusLines(io, status));
      io.out(io.colors.dim(`${of.store} at position ${of.position}`));
      return Exit.Ok;
    }),
};

/** What is known of a path. */
interface Status {
  readonly scope: string;
  readonly path: string;
  readonly type: 'file' | 'directory';
  readonly ephemeral: boolean;
  readonly record?: {
    readonly kind: Kind;
    /** null: raw bytes. */
    readonly message: string | null;
    readonly size: number;
    readonly version: string;
    /** Why it does not decode. */
    readonly problem?: string | undefined;
    /** What a store of another form has of it that is not in its bytes, and what is odd about it. */
    readonly losses?: readonly Loss[] | undefined;
    readonly notes?: readonly string[] | undefined;
  };
  /** Names in the directory. */
  readonly children?: number | undefined;
}

async function statusOf(
  scope: string,
  store: Connection,
  path: string,
  options: CallOptions,
): Promise<Status | undefined> {
  const state = await stateOf(store, path, options);
  if (state === undefined) return undefined;
  const { type, ephemeral } = await entryOf(store, state, options);
  const { value, names } = state;
  const base = { scope, path, type, ephemeral, children: names?.length };
  if (value === undefined) return base;
  const record = { path, ...value };
  const message = messageOf(scope, record);
  const { losses, notes } = value.told ?? {};
  const problem = message === null ? undefined : readProblem(message, value);
  const [kind, size, version] = [kindOf(scope, record), value.bytes.byteLength, value.version.token];
  const beside = { losses, notes: notes?.map(({ text }) => text) };
  return { ...base, record: { kind, message, size, version, problem, ...beside } };
}

function* statusLines(io: Io, { scope, path, record, ephemeral, children }: Status): Generator<string> {
  const row = (name: string, value: string) => `  ${name.padEnd(9)}  ${value}`;
  yield io.colors.bold(printable(`${scope}:${path}`));
  if (children !== undefined) yield row('directory', `${count(children, 'name')} in it`);
  if (record !== undefined) {
    const { kind, message, size, version, problem, losses = [], notes = [] } = record;
    yield row('kind', message === null ? kind : `${kind}, ${message}`);
    yield row('size', count(size, 'byte'));
    yield row('version', version);
    const raw = message === null ? 'raw bytes' : 'yes';
    yield row('decodes', problem === undefined ? raw : io.colors.yellow(`no: ${printable(problem)}`));
    for (const loss of losses) yield row('no place', io.colors.yellow(printable(showLoss(loss))));
    for (const note of notes) yield row('note', printable(note));
  }
  yield row('ephemeral', ephemeral ? 'yes' : 'no');
}
