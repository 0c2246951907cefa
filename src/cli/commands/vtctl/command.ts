import type { Change } from '../../../topo/changes.js';
import type { CallOptions } from '../../../topo/connection.js';
import { parentPath } from '../../../topo/paths.js';
import { GLOBAL, type Topology } from '../../../topo/topology.js';
import { carryOut } from '../../changes.js';
import { type Flags, shown, usage } from '../../flags.js';
import type { GoArgs, GoFlags } from '../../go-flags.js';
import type { Io } from '../../io.js';
import { type LockWish, whileLocked } from '../../locked.js';

/** One command of vtctl. */
export interface VtctlCommand {
  readonly name: string;
  /** What vtctldclient, or another version, calls it. */
  readonly also?: readonly string[];
  /** Its flags and words, as Vitess's help writes them. */
  readonly params: string;
  readonly describe: string;
  readonly flags?: GoFlags;
  /** How many words it takes, at least and at most. */
  readonly words: readonly [least: number, most: number];
  /** Whether it writes to the stores. */
  readonly writes?: true;
  run(call: Call): Promise<void>;
}

/** One run of a command. */
export interface Call {
  readonly name: string;
  readonly args: GoArgs;
  readonly topology: Topology;
  /** What Vitess prints goes to its `out`, all else to its `err`. */
  readonly io: Io;
  readonly options: CallOptions;
  /** Milliseconds to wait for a lock. Undefined: as long as Vitess does. */
  readonly lockWaitMs: number | undefined;
}

/** A word of the command line by its place; empty when there are not so many. */
export function word({ args }: Call, at: number): string {
  return args.words[at] ?? '';
}

/** Takes `keyspace/shard` apart. Usage. */
export function keyspaceShard(text: string): readonly [keyspace: string, shard: string] {
  const [, keyspace, shard] = /^([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (keyspace === undefined || shard === undefined)
    throw usage(`${shown(text)} is not KEYSPACE/SHARD`, 'for example commerce/0 or customer/-80');
  return [keyspace, shard];
}

/**
 * Makes changes without asking, as vtctl does. What is changed, and how it is put back, goes where Vitess's log goes: standard
 * error.
 */
export async function change(call: Call, changes: readonly Change[]): Promise<void> {
  const { io, topology, options } = call;
  const aside: Io = { ...io, out: (text) => io.err(text), colors: io.errColors };
  const signal = options.signal ?? new AbortController().signal;
  await carryOut(CONSENT, aside, signal, { command: call.name, topology, changes });
}

const CONSENT: Flags = { yes: true };

/**
 * {@link change}, planned and made while directories of the global store are locked. It is planned without a lock before: what is
 * refused is refused at once, and where nothing is to change nothing is locked. Where a lock is a part of the
 * record that is deleted, the locks are given back before: each deletion still depends on the state that was seen under them.
 */
export async function changeLocked(
  call: Call,
  wishes: readonly LockWish[],
  plan: (options: CallOptions) => Promise<readonly Change[]>,
): Promise<void> {
  const { topology, io, options, lockWaitMs: waitMs } = call;
  const planned = await plan(options);
  if (planned.length === 0) return change(call, planned);
  const unlocksFirst =
    topology.global.capabilities.locksInRecords === true && planned.some((each) => isLocked(each, wishes));
  const changes = await whileLocked(
    topology,
    wishes,
    io,
    { signal: options.signal, waitMs },
    async ({ signal, check }) => {
      const held = { ...options, signal };
      const found = await plan(held);
      await check();
      if (unlocksFirst) return found;
      await change({ ...call, options: held }, found);
      return [];
    },
  );
  if (changes.length > 0) await change(call, changes);
}

/** Whether a change deletes a record that is in a directory of `wishes`. */
function isLocked({ scope, path, after }: Change, wishes: readonly LockWish[]): boolean {
  return scope === GLOBAL && after === undefined && wishes.some(({ dir }) => dir === parentPath(path));
}
