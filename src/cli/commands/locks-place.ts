import { type LockPlace, placeOf } from '../../topo/found-locks.js';
import { NAMED_LOCKS } from '../../topo/locks.js';
import { type FlagSpec, textFlag, type Word } from '../command.js';
import { type Flags, text, usage } from '../flags.js';
import { placeNamed } from '../locks.js';
import { LOOK_FLAGS } from '../looking.js';

/** Words of the commands about one lock. */
export const LOCK_WORDS: readonly Word[] = [
  { name: 'address', describe: 'address of the topology (or the --topo- flags)' },
  { name: 'path', describe: 'KEYSPACE, KEYSPACE/SHARD, or a path' },
];

/** Flags of the commands about one lock. */
export const LOCK_FLAGS: readonly FlagSpec[] = [
  ...LOOK_FLAGS,
  textFlag('name', 'a named lock, for instance KEYSPACE/WORKFLOW, in place of a path'),
];

/** The lock that a command is about. Usage unless it is given once. `word`: the path as it was given. */
export function lockPlace(flags: Flags, word: string): LockPlace {
  const name = text(flags, 'name');
  if (name === undefined) return placeNamed(word);
  if (word !== '') throw usage('give a path or --name, not both');
  return placeOf(`${NAMED_LOCKS}/${name}`);
}
