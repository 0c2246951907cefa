import type { CallContext } from './calls.js';
import type { HeldLock } from './held-lock.js';

/** Milliseconds for which the end of a connection waits until its locks are given back. */
const END_MS = 1_000;

/** What a connection gives back before it ends: its locks, and what waits that were cut short left behind. */
export class HeldLocks {
  readonly #clock: CallContext['clock'];
  readonly #held = new Set<HeldLock>();
  readonly #work = new Set<Promise<unknown>>();
  #ended = false;

  constructor({ clock }: Pick<CallContext, 'clock'>) {
    this.#clock = clock;
  }

  /** Has the lock given back at the end: at once, when that is past. */
  add(lock: HeldLock): void {
    if (this.#ended) this.#giveBack(lock);
    else this.#held.add(lock);
  }

  /** For a lock that was lost, or is being given back. */
  remove(lock: HeldLock): void {
    this.#held.delete(lock);
  }

  /** Has the end wait until `work` is done, well or not. Answers with it. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#work.add(work);
    const done = () => this.#work.delete(work);
    work.then(done, done);
    return work;
  }

  /** Gives back all locks, which are lost by that, and waits until all work is done, for moments. */
  async end(): Promise<void> {
    this.#ended = true;
    for (const lock of [...this.#held]) this.#giveBack(lock);
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.schedule(END_MS, resolve);
    });
    await Promise.race([this.#idle(), late]);
    cancel();
  }

  #giveBack(lock: HeldLock): void {
    this.#held.delete(lock);
    lock.lose('its connection was closed');
    // Its failure has been told: the lock is lost.
    this.track(lock.unlock()).catch(() => {});
  }

  async #idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }
}
