import { readTarget, type Target } from '../editing/target.js';
import { GLOBAL } from '../topo/topology.js';
import { accessOf, DELETE_FLAGS, FORCE_FLAG } from './changes.js';
import type { FlagSpec, Word } from './command.js';
import { type Flags, text, usage } from './flags.js';
import type { Io } from './io.js';
import { LOOK_FLAGS, lookAt, storeOf } from './looking.js';

/** Words of the commands that write one record. */
export const TARGET_WORDS: readonly Word[] = [
  { name: 'address', describe: 'address of the topology (or the --topo- flags)' },
  { name: 'path', describe: 'the record, below the root of its store' },
];

/** Flags of the commands that write records by their paths. */
export const WRITING_FLAGS: readonly FlagSpec[] = [
  ...LOOK_FLAGS.map((spec) =>
    spec.name === 'cell'
      ? { ...spec, describe: 'in this cell’s local store (default: the global store)' }
      : spec,
  ),
  ...DELETE_FLAGS,
  FORCE_FLAG,
];

/** Opens the topology of a command that writes one record, reads what is there now, runs `work`, closes it. */
export function withTarget<T>(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  return lookAt(
    flags,
    io,
    signal,
    async ({ topology, scope = GLOBAL, path, word }) => {
      if (word === '')
        throw usage('no path is given', 'name the record, for example keyspaces/commerce/Keyspace');
      if (word.endsWith('/')) throw usage('a path that ends in / is a directory, not a record');
      const store = await storeOf(topology, scope, signal);
      return work(await readTarget({ topology, store, scope, path }, { signal }));
    },
    accessOf(flags, false),
  );
}

/** A flag that names a file. Usage when the name is empty. */
export function fileFlag(flags: Flags): string | undefined {
  const file = text(flags, 'file');
  if (file === '') throw usage('--file needs a value');
  return file;
}
