import { waiting } from '../../http/waiting.js';
import { isFreeLock } from '../../legacy/etcd-paths.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { alreadyLocked, nothingToLock, waitEnded } from '../../topo/held-lock.js';
import type { Lock, LockEntry, LockRequest } from '../../topo/locks.js';
import { type Answer, type Node, REFUSALS } from './answers.js';
import { type Attempt, briefly, giveBack, isLeftBy, takeBack } from './attempt.js';
import { listDir } from './directory.js';
import { hold, type Taken, ttlSeconds } from './hold.js';
import { isHeld, type LockPlace, lockPlace, mayStay } from './lock-file.js';
import type { PutOptions } from './member.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';
import { makeVersion } from './version.js';
import { nextChange } from './watch.js';

export async function acquire(
  store: EtcdStore,
  request: LockRequest,
  options: CallOptions | undefined,
): Promise<Lock> {
  const { dir, purpose, contents } = request;
  const place = lockPlace(store.layout, dir, purpose);
  checkContents(store, place, contents);
  return waiting(store, dir, options, (signal) =>
    // The end of the connection waits for what a wait that is cut short has to give back.
    store.locks.track(new Contender(store, request, place, signal).run()),
  );
}

/** Who holds the lock; those who wait leave no trace in etcd. */
export async function lockQueue(store: EtcdStore, dir: string, options: CallOptions): Promise<LockEntry[]> {
  const { layout } = store;
  const place = lockPlace(layout, dir);
  const node = await readFile(store, place.native, dir, options);
  if (node === undefined || (place.purpose !== 'election' && !isHeld(layout, dir, node))) return [];
  const entry = {
    path: place.entry,
    version: makeVersion(store.context.store, { own: node.modifiedIndex }),
    contents: node.value ?? '',
    holds: true,
    // What has no time to live stays until somebody gives it back, or breaks it.
    owner: node.ttl === undefined ? undefined : String(node.createdIndex),
    since: undefined,
    ttlLeftMs: node.ttl === undefined ? undefined : node.ttl * 1000,
  };
  return [entry];
}

/** What stands for a lock that nobody holds says nothing of a holder. */
function checkContents({ layout }: EtcdStore, { dir, purpose }: LockPlace, contents: string): void {
  if (purpose === 'election' || !mayStay(layout, dir) || !isFreeLock(contents)) return;
  const message = `a lock that says ${JSON.stringify(contents)} is a free one in an etcd store of the old form`;
  throw new TopologyError(ErrorCode.Usage, message, { path: dir, store: layout.store });
}

/** One that wants a lock. */
class Contender {
  readonly #store: EtcdStore;
  readonly #request: LockRequest;
  readonly #place: LockPlace;
  readonly #signal: AbortSignal;
  /** An attempt of which it is not known what became of it. */
  #doubt: Attempt | undefined;

  /** @param signal fires with the error of a wait that is over */
  constructor(store: EtcdStore, request: LockRequest, place: LockPlace, signal: AbortSignal) {
    this.#store = store;
    this.#request = request;
    this.#place = place;
    this.#signal = signal;
  }

  async run(): Promise<Lock> {
    const signal = this.#signal;
    let failure: unknown;
    let exists = this.#request.purpose !== 'directory';
    let from: number | undefined;
    for (let round = 0; ; round++) {
      try {
        if (signal.aborted) throw signal.reason;
        if (!exists) await this.#mustExist();
        exists = true;
        if (from !== undefined) await nextChange(this.#store, [this.#place.native], from, signal);
        if (signal.aborted) throw signal.reason;
        const outcome = await this.#attempt();
        if (typeof outcome !== 'number') return this.#held(outcome);
        from = outcome;
        failure = undefined;
        round = 0;
      } catch (error) {
        if (signal.aborted) {
          if (this.#doubt !== undefined) this.#goOn(takeBack(this.#store, this.#doubt));
          throw waitEnded(this.#store.context, this.#place.dir, this.#signal.reason, failure);
        }
        failure = this.#passing(error);
        from = undefined;
        await this.#store.pause(round, signal);
      }
    }
  }

  #held(taken: Taken): Lock {
    const lock = hold(this.#store, this.#place, taken);
    if (!this.#signal.aborted) return lock;
    this.#store.locks.track(lock.unlock()).catch(() => {});
    throw this.#signal.reason;
  }

  /** What was taken; or the index from which on to wait for a change. */
  async #attempt(): Promise<Taken | number> {
    const { layout } = this.#store;
    const { native, dir, purpose } = this.#place;
    const { node, index } = await this.#store.get(native, dir, { signal: this.#signal });
    if (node?.value === undefined) return this.#take(node, index);
    if (purpose !== 'election' && !isHeld(layout, dir, node)) return this.#take(node, index);
    const doubt = this.#doubt;
    if (doubt !== undefined && isLeftBy(doubt, node)) {
      // Ours, unless somebody else wrote the very same: written anew, it is lost to whoever that was.
      return this.#take(node, index, node.createdIndex > doubt.index);
    }
    if (!this.#request.wait) throw alreadyLocked(this.#store.context, dir);
    return index + 1;
  }

  /**
   * @param found the file that is to be replaced; undefined: there is none
   * @param made whether it came to be by an attempt of ours
   */
  async #take(found: Node | undefined, index: number, made = found === undefined): Promise<Taken | number> {
    const { wait, ttlMs } = this.#request;
    const { dir, purpose } = this.#place;
    const { clock } = this.#store.context;
    const ms = ttlMs ?? this.#store.electionTtlMs;
    const ttl = purpose === 'election' ? { ms: ttlSeconds(ms) * 1000, since: clock.now() } : undefined;
    const condition = found === undefined ? { prevExist: false } : { prevIndex: found.modifiedIndex };
    const put = { ...condition, ttl: ttl && ttlSeconds(ms) };
    const fixed = !made && purpose !== 'election' && mayStay(this.#store.layout, dir);
    const answer = await this.#send(put, {
      place: this.#place,
      contents: this.#request.contents,
      index,
      found,
      fixed,
    });
    if (answer.node !== undefined) return { node: answer.node, fixed, ttl };
    if (answer.refused === REFUSALS.notADirectory) throw nothingToLock(this.#store.context, dir);
    if (answer.refused === REFUSALS.notAFile) throw this.#noLock();
    if (!wait) throw alreadyLocked(this.#store.context, dir);
    return index + 1;
  }

  async #mustExist(): Promise<void> {
    const { dir } = this.#place;
    const { clock, defaultTimeoutMs } = this.#store.context;
    const options = { signal: this.#signal, deadline: clock.now() + defaultTimeoutMs };
    const names = await listDir(this.#store, dir, options).catch((error: unknown) => {
      if (isTopologyError(error, ErrorCode.NoNode)) return [];
      throw error;
    });
    if (names.length === 0) throw nothingToLock(this.#store.context, dir);
  }

  /** Sends an attempt. It goes on when the wait ends: only its answer tells whether there is something to give back, and nothing else would take it back. */
  #send(put: PutOptions, attempt: Attempt): Promise<Answer> {
    const { native, dir } = this.#place;
    const signal = this.#signal;
    const putting = this.#store.put(native, this.#request.contents, put, dir, briefly(this.#store));
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#goOn(this.#undo(putting, attempt));
        reject(signal.reason);
      };
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end();
      putting
        .then(resolve, (error: unknown) => {
          if (isTopologyError(error, ErrorCode.OutcomeUnknown)) this.#doubt = attempt;
          reject(error);
        })
        .finally(() => signal.removeEventListener('abort', end));
    });
  }

  /** Has work done that nobody waits for but the end of the connection. */
  #goOn(work: Promise<void>): void {
    this.#store.locks.track(work).catch(() => {});
  }

  /** Gives back what an attempt takes whose wait is over. */
  async #undo(putting: Promise<Answer>, attempt: Attempt): Promise<void> {
    let answer: Answer;
    try {
      answer = await putting;
    } catch {
      await takeBack(this.#store, attempt);
      return;
    }
    if (answer.node !== undefined) await giveBack(this.#store, attempt, answer.node);
  }

  /** A failure that the wait outlasts; throws any other. */
  #passing(error: unknown): unknown {
    const failed = this.#store.readFailed(error, this.#place.dir);
    // The next look tells what became of it.
    if (failed.code === ErrorCode.OutcomeUnknown) return failed;
    if (this.#request.wait && failed.retryable) return failed;
    throw failed;
  }

  #noLock(): TopologyError {
    const { dir, entry } = this.#place;
    const { store } = this.#store.context;
    const message = `${entry}, in the place of the lock, is a directory`;
    return new TopologyError(ErrorCode.NodeExists, message, { path: dir, store });
  }
}
