import { describe, expect, test } from 'vitest';
import { HeldLock } from '../../src/topo/held-lock.js';
import { HeldLocks } from '../../src/topo/held-locks.js';
import { ManualClock } from '../support/manual-clock.js';

/** A promise that is resolved from outside. */
function later<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A lock whose store answers `release` when it is told to. */
function makeLock(clock: ManualClock) {
  const store = later<boolean>();
  const seen = { released: 0, stopped: 0 };
  const keeper = {
    holds: async () => true,
    release: () => {
      seen.released += 1;
      return store.promise;
    },
    stop: () => {
      seen.stopped += 1;
    },
  };
  const context = { store: 'store', clock, defaultTimeoutMs: 1_000 };
  return { lock: new HeldLock(context, { dir: 'd', entry: 'd/e' }, keeper), answer: store.resolve, seen };
}

/** Whether `work` has ended by now. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  const moment = new Promise((resolve) => setImmediate(() => resolve(pending)));
  return (await Promise.race([work, moment])) !== pending;
}

describe('the locks of a connection that ends', () => {
  test('are lost and given back, and the end waits for that', async () => {
    const clock = new ManualClock();
    const locks = new HeldLocks({ clock });
    const { lock, answer, seen } = makeLock(clock);
    locks.add(lock);
    const end = locks.end();
    expect(lock.lost.aborted).toBe(true);
    expect(lock.lost.reason).toMatchObject({ code: 'LockLost', path: 'd' });
    expect(seen).toEqual({ released: 1, stopped: 1 });
    expect(await isDone(end)).toBe(false);
    answer(true);
    expect(await isDone(end)).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test('are waited for only for moments, and their failures are nobody’s', async () => {
    const clock = new ManualClock();
    const locks = new HeldLocks({ clock });
    locks.add(makeLock(clock).lock);
    locks.track(Promise.reject(new Error('the store is gone')));
    const end = locks.end();
    expect(await isDone(end)).toBe(false);
    clock.advance(1_000);
    expect(await isDone(end)).toBe(true);
  });

  test('are left alone when they were lost or given back before', async () => {
    const clock = new ManualClock();
    const locks = new HeldLocks({ clock });
    const { lock, seen } = makeLock(clock);
    locks.add(lock);
    locks.remove(lock);
    await locks.end();
    expect(lock.lost.aborted).toBe(false);
    expect(seen.released).toBe(0);
  });

  test('are given back at once when they are taken after the end', async () => {
    const clock = new ManualClock();
    const locks = new HeldLocks({ clock });
    await locks.end();
    const { lock, seen } = makeLock(clock);
    locks.add(lock);
    expect(lock.lost.aborted).toBe(true);
    expect(seen.released).toBe(1);
  });

  test('work that other work leaves behind is waited for, too', async () => {
    const clock = new ManualClock();
    const locks = new HeldLocks({ clock });
    const first = later<void>();
    const second = later<void>();
    locks.track(first.promise.then(() => void locks.track(second.promise)));
    const end = locks.end();
    first.resolve();
    expect(await isDone(end)).toBe(false);
    second.resolve();
    expect(await isDone(end)).toBe(true);
  });
});
