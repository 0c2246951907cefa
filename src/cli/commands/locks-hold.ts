import { hostname, userInfo } from 'node:os';
import { type Clock, systemClock } from '../../topo/clock.js';
import type { Connection } from '../../topo/connection.js';
import type { LockPlace } from '../../topo/found-locks.js';
import { makeLockContents } from '../../topo/lock-contents.js';
import type { Lock } from '../../topo/locks.js';
import { GLOBAL } from '../../topo/topology.js';
import { type Command, switchFlags, textFlag } from '../command.js';
import { parseDuration } from '../durations.js';
import { Exit } from '../exit.js';
import { type Flags, text, usage } from '../flags.js';
import { type Io, json } from '../io.js';
import { holderOf, notToBeHad } from '../locked.js';
import { lookAt, storeOf } from '../looking.js';
import { runProgram } from '../program.js';
import { LOCK_FLAGS, LOCK_WORDS, lockPlace } from './locks-place.js';

export const locksHoldCommand: Command = {
  command: 'hold [address] [path]',
  describe: 'take a lock and hold it until Ctrl-C, for a time, or while a program runs',
  words: LOCK_WORDS,
  flags: [
    ...LOCK_FLAGS,
    ...switchFlags('try'),
    textFlag('action', 'what to tell others who look at the lock', { preset: 'topo2topo locks hold' }),
    textFlag('for', 'how long to hold it, for example 30s (default: until Ctrl-C)'),
    textFlag('wait', 'how long to wait for it, for example 45s (default: for as long as it takes)'),
  ],
  examples: [
    [
      '$0 locks hold etcd2://etcd1:2379/vitess/global commerce/0 --for 30s',
      'no failover of this shard meanwhile',
    ],
    ['$0 locks hold etcd2://etcd1:2379/vitess/global commerce -- ./backup.sh', 'gives its exit code'],
  ],
  startsProgram: true,
  run: hold,
};

/** What the flags ask for. */
interface Wish {
  readonly atOnce: boolean;
  readonly waitMs: number | undefined;
  readonly forMs: number | undefined;
  readonly program: readonly string[];
}

async function hold(flags: Flags, io: Io, signal: AbortSignal): Promise<number> {
  const wish = readWish(flags);
  return lookAt(
    flags,
    io,
    signal,
    async ({ topology, scope = GLOBAL, word }) => {
      const place = lockPlace(flags, word);
      checkPlace(place, wish);
      const store = await storeOf(topology, scope, signal);
      const contents = makeLockContents({
        action: text(flags, 'action') ?? '',
        host: hostname(),
        user: userName(),
        now: systemClock.now(),
      });
      const lock = await take({ store, place, contents, wish, io, signal });
      announce(flags, io, wish, lock, contents);
      return whileHeld(lock, wish, signal, systemClock);
    },
    'write',
  );
}

function readWish(flags: Flags): Wish {
  const [waitMs, forMs] = ['wait', 'for'].map((name) => {
    const given = text(flags, name);
    return given === undefined ? undefined : parseDuration(given, `--${name}`);
  });
  const program = [flags['--'] ?? []].flat().map(String);
  if (program[0] === '') throw usage('no program is named after --');
  const atOnce = flags['try'] === true;
  if (atOnce && waitMs !== undefined) throw usage('--try and --wait exclude one another');
  if (program.length > 0 && forMs !== undefined)
    throw usage('--for and a program exclude one another', 'the lock is held while the program runs');
  if (program.length > 0 && flags['output'] === 'json')
    throw usage('--output json and a program exclude one another', 'the output is the program’s');
  return { atOnce, waitMs, forMs, program };
}

function checkPlace({ type, name }: LockPlace, { atOnce }: Wish): void {
  if (type === 'election')
    throw usage(
      'an election is not a lock',
      'locks list shows who leads, locks break takes the leadership away',
    );
  if (type === 'name' && atOnce)
    throw usage(`--try does not go with the named lock ${name}`, 'use --wait 1s');
}

interface Taking {
  readonly store: Connection;
  readonly place: LockPlace;
  readonly contents: string;
  readonly wish: Wish;
  readonly io: Io;
  readonly signal: AbortSignal;
}

async function take({ store, place, contents, wish, io, signal }: Taking): Promise<Lock> {
  const { dir } = place;
  const before = wish.atOnce ? undefined : await holderOf(store, dir, signal);
  if (before !== undefined) io.err(`waiting for the lock of ${dir}, held by ${before}`);
  const deadline = wish.waitMs === undefined ? undefined : systemClock.now() + wish.waitMs;
  try {
    if (wish.atOnce) return await store.tryLock(dir, contents, { signal });
    if (place.type === 'name') return await store.lockName(place.name, contents, { signal, deadline });
    return await store.lock(dir, contents, { signal, deadline });
  } catch (error) {
    throw await notToBeHad(error, store, dir, signal);
  }
}

function announce(flags: Flags, io: Io, wish: Wish, lock: Lock, contents: string): void {
  const { store, dir, entry } = lock;
  if (flags['output'] === 'json') {
    io.out(json({ command: 'locks hold', store, dir, entry, contents }));
    return;
  }
  const lines = [`${io.colors.green('holding')} the lock of ${dir} in ${store}, entry ${entry}`, contents];
  // The output belongs to the program, if there is one.
  if (wish.program.length > 0) io.err(lines.join('\n'));
  else io.out([...lines, wish.forMs === undefined ? 'Ctrl-C gives it back' : ''].join('\n').trimEnd());
}

/** Holds the lock for as long as is wished, gives it back, and answers with the exit code. LockLost when it is lost meanwhile. */
async function whileHeld(lock: Lock, wish: Wish, signal: AbortSignal, clock: Clock): Promise<number> {
  const ended = AbortSignal.any([signal, lock.lost]);
  const code =
    wish.program.length > 0
      ? await runProgram(wish.program, ended, clock).catch(async (error: unknown) => {
          await lock.unlock();
          throw error;
        })
      : await untilOver(ended, wish.forMs, clock);
  await lock.unlock();
  return code;
}

function untilOver(ended: AbortSignal, ms: number | undefined, clock: Clock): Promise<Exit> {
  return new Promise((resolve) => {
    const cancels: (() => void)[] = [];
    const over = () => {
      for (const cancel of cancels) cancel();
      ended.removeEventListener('abort', over);
      resolve(Exit.Ok);
    };
    if (ended.aborted) {
      over();
      return;
    }
    ended.addEventListener('abort', over, { once: true });
    // A signal alone does not keep the process alive, a timer does.
    cancels.push(ms === undefined ? stayAlive(clock) : clock.schedule(ms, over));
  });
}

function stayAlive(clock: Clock): () => void {
  let cancel = () => {};
  const again = () => {
    cancel = clock.schedule(STAY_MS, again);
  };
  again();
  return () => cancel();
}

const STAY_MS = 60_000;

/** Undefined where the system knows no name for this user. */
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
