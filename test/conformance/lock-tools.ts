import assert from 'node:assert/strict';
import type { CallOptions, Capabilities, Connection } from '../../src/topo/connection.js';
import { isTopologyError, TopologyError } from '../../src/topo/errors.js';
import type { Lock, LockEntry } from '../../src/topo/locks.js';
import type { Context } from './sentence.js';
import type { Rival } from './subject.js';
import { eventually, failure, must, PATIENCE_MS, pause, picture, utf8, within } from './tools.js';

/** The directory that most sentences lock. */
export const DIR = 'keyspaces/ks';
/** What a lock holds, as Vitess writes it. */
export const VITESS_CONTENTS =
  '{\n  "Action": "PlannedReparentShard(ks/0)",\n  "HostName": "host-ä",\n  "UserName": "unknown",\n  "Time": "2023-05-06T07:08:09Z",\n  "Options": {},\n  "Status": "Running"\n}';
/** Longer than it takes until sessions and leases of the least time to live are over on their own, on a busy machine. */
export const EXPIRY_MS = 40_000;

/** Makes {@link DIR}, with two records below it. */
export async function lockable({
  writer,
  connection,
}: Pick<Context, 'writer' | 'connection'>): Promise<void> {
  // Without fields: a store that keeps records in a form of its own takes nothing else there than what is one.
  await writer.create(`${DIR}/Keyspace`, utf8(''));
  await writer.create(`${DIR}/shards/0/Shard`, utf8(''));
  await connection.position();
}

/** Somebody who asked for a lock. */
export interface Asker {
  readonly lock: Promise<Lock>;
  readonly state: () => 'waits' | 'holds' | 'failed';
  /** Gives up. */
  readonly abort: () => void;
}

/** Asks for a lock without waiting for the answer; gives up at the end of the sentence. */
export function ask(
  context: Pick<Context, 'after'>,
  begin: (options: CallOptions) => Promise<Lock>,
  deadline?: number,
): Asker {
  const abort = new AbortController();
  let state: 'waits' | 'holds' | 'failed' = 'waits';
  const lock = begin({ signal: abort.signal, deadline });
  const settled = lock.then(
    () => {
      state = 'holds';
    },
    () => {
      state = 'failed';
    },
  );
  context.after(async () => {
    abort.abort();
    await within(PATIENCE_MS, 'the end of a wait that was aborted', settled);
  });
  return { lock, state: () => state, abort: () => abort.abort() };
}

/** What an asker gets within the time that the suite is patient. */
export function got({ lock }: Asker, ms = PATIENCE_MS): Promise<Lock> {
  return within(ms, 'a lock that was asked for', lock);
}

/**
 * Until the one who asked with `contents` is seen in the queue of `dir`, and still waits. Where there is no queue, some
 * moments in which it could have got the lock.
 */
export async function inLine(
  { capabilities, connection }: Pick<Context, 'capabilities' | 'connection'>,
  asker: Asker,
  contents: string,
  dir = DIR,
): Promise<void> {
  if (capabilities.locks === 'fair')
    await eventually('a place in the queue', () => isQueued(connection, contents, dir));
  else await pause(100);
  assert.equal(asker.state(), 'waits', 'a lock that is held');
}

async function isQueued(connection: Connection, contents: string, dir: string): Promise<boolean> {
  return (await connection.lockQueue(dir)).some((entry) => entry.contents === contents);
}

/** The one entry in the queue of `dir`. */
export async function onlyEntry(connection: Connection, dir = DIR): Promise<LockEntry> {
  await connection.position();
  const queue = await connection.lockQueue(dir);
  assert.equal(queue.length, 1, `one entry, not ${JSON.stringify(queue.map(({ contents }) => contents))}`);
  return must(queue[0]);
}

/** An entry names its owner, where there is any but its holder. */
export function ownedAs({ locksStay }: Capabilities, { owner }: LockEntry): void {
  if (locksStay === true) assert.equal(owner, undefined, 'an owner');
  else assert.ok(must(owner, 'an owner').length > 0);
}

/** Waits until a lock tells that it is lost; gives the reason. */
export async function lostSoon({ lost, dir, store }: Lock, ms = PATIENCE_MS): Promise<TopologyError> {
  await within(
    ms,
    'lost',
    new Promise<void>((resolve) => {
      if (lost.aborted) resolve();
      else lost.addEventListener('abort', () => resolve(), { once: true });
    }),
  );
  const { reason } = lost;
  assert.ok(reason instanceof TopologyError, `the reason is a TopologyError, not ${String(reason)}`);
  assert.deepEqual([reason.code, reason.path, reason.store], ['LockLost', dir, store]);
  return reason;
}

/** The lock is held, as the store and the signal say. */
export async function stillHeld(lock: Lock): Promise<void> {
  await lock.check();
  assert.equal(lock.lost.aborted, false, 'lost');
}

/** The record that stands for a lock is deleted by another connection, as `locks break` does it. */
export async function breakLock({ open, root }: Pick<Context, 'open' | 'root'>, lock: Lock): Promise<void> {
  const other = await open(root);
  const entry = must((await other.lockQueue(lock.dir)).find(({ path }) => path === lock.entry));
  await other.delete(entry.path, entry.version);
}

/** Ends the session or lease that owns a lock. */
export async function endOwner(
  { raw, connection }: Pick<Context, 'raw' | 'connection'>,
  lock: Lock,
): Promise<void> {
  await connection.position();
  const entry = (await connection.lockQueue(lock.dir)).find(({ path }) => path === lock.entry);
  await must(raw.endOwner)(must(entry?.owner, 'an owner'));
}

/** Everything at the place of the sentence: each record with its version, and each directory. */
export async function inventory(connection: Connection): Promise<unknown> {
  await connection.position();
  const directories: string[] = [];
  const walk = async (dir: string) => {
    for (const { name, type } of await namesIn(connection, dir)) {
      if (type !== 'directory') continue;
      const path = dir === '' ? name : `${dir}/${name}`;
      directories.push(path);
      await walk(path);
    }
  };
  await walk('');
  return { records: await picture(connection), directories };
}

async function namesIn(connection: Connection, dir: string) {
  try {
    return await connection.listDirFull(dir);
  } catch (error) {
    if (isTopologyError(error, 'NoNode')) return [];
    throw error;
  }
}

/** Until the place is again as it was: what was not taken back at once goes away within `ms`. */
export async function asBefore(connection: Connection, before: unknown, ms = PATIENCE_MS): Promise<void> {
  await eventually(
    'nothing left behind',
    async () => assert.deepEqual(await inventory(connection), before),
    ms,
  );
}

/** `tryLock`, again and again until nobody is in its way. */
export function lockSoon(connection: Connection, contents: string, ms = PATIENCE_MS): Promise<Lock> {
  return eventually('a lock that nobody holds', () => connection.tryLock(DIR, contents), ms);
}

/** A rival in the line for {@link DIR}, or in the election `name`, who leaves with the sentence. */
export async function rivalOf(
  { raw, root, after }: Pick<Context, 'raw' | 'root' | 'after'>,
  contents: string,
  name?: string,
): Promise<Rival> {
  const rivals = must(raw.rivals, 'rivals');
  const rival = await (name === undefined
    ? rivals.lock(root, DIR, contents)
    : rivals.campaign(root, name, contents));
  after(() => rival.release());
  return rival;
}

/** The code that `work` fails with; `done` when it does not. */
export function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    async (error: unknown) => (await failure(Promise.reject(error))).code,
  );
}
