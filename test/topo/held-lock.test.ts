import { describe, expect, it } from 'vitest';
import type { CallContext } from '../../src/topo/calls.js';
import type { CallOptions } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { HeldLock, type Keeper } from '../../src/topo/held-lock.js';
import { ManualClock } from '../support/manual-clock.js';

const STORE = 'memory://etcd/';
const WHERE = { dir: 'keyspaces/ks', entry: 'keyspaces/ks/locks/1' };
const LOST = { code: ErrorCode.LockLost, path: WHERE.dir, store: STORE };

/** A lock whose keeper answers as the test says, and what it was asked for. */
function setting(answers: { holds?: () => Promise<boolean>; release?: () => Promise<boolean> } = {}) {
  const clock = new ManualClock();
  const context: CallContext = { store: STORE, clock, defaultTimeoutMs: 1_000 };
  const asked: string[] = [];
  const options: CallOptions[] = [];
  const keeper: Keeper = {
    holds: (given) => {
      asked.push('holds');
      options.push(given);
      return answers.holds?.() ?? Promise.resolve(true);
    },
    release: (given) => {
      asked.push('release');
      options.push(given);
      return answers.release?.() ?? Promise.resolve(true);
    },
    stop: () => {
      asked.push('stop');
    },
  };
  return { lock: new HeldLock(context, WHERE, keeper), clock, asked, options };
}

const unavailable = new TopologyError(ErrorCode.Unavailable, 'no server answers', { store: STORE });

describe('check', () => {
  it('asks the store each time, by the deadline of the call or that of the connection', async () => {
    const { lock, clock, asked, options } = setting();
    await lock.check();
    await lock.check({ deadline: 5 });
    expect(asked).toEqual(['holds', 'holds']);
    expect(options.map(({ deadline }) => deadline)).toEqual([clock.now() + 1_000, 5]);
  });

  it('is LockLost when the store says no, and the lock is lost from then on', async () => {
    const { lock, asked } = setting({ holds: () => Promise.resolve(false) });
    await expect(lock.check()).rejects.toMatchObject(LOST);
    expect(lock.lost.reason).toMatchObject(LOST);
    await expect(lock.check()).rejects.toBe(lock.lost.reason);
    expect(asked).toEqual(['holds', 'stop']);
  });

  it('passes on that the store does not tell, and the lock is not lost by that', async () => {
    const { lock } = setting({ holds: () => Promise.reject(unavailable) });
    await expect(lock.check()).rejects.toBe(unavailable);
    expect(lock.lost.aborted).toBe(false);
  });

  it('is LockLost when the lock was told to be lost while the store was asked', async () => {
    let answer = (_held: boolean) => {};
    const { lock } = setting({
      holds: () =>
        new Promise<boolean>((resolve) => {
          answer = resolve;
        }),
    });
    const checking = lock.check();
    lock.lose('its lease ended');
    answer(true);
    await expect(checking).rejects.toMatchObject(LOST);
  });

  it('is LockLost after unlock, without asking', async () => {
    const { lock, asked } = setting();
    await lock.unlock();
    await expect(lock.check()).rejects.toMatchObject(LOST);
    expect(asked).toEqual(['stop', 'release']);
    expect(lock.lost.aborted).toBe(false);
  });
});

describe('lose', () => {
  it('stops what keeps the lock alive before lost fires, with the reason, once', () => {
    const { lock, asked } = setting();
    lock.lost.addEventListener('abort', () => asked.push('lost'));
    const cause = new Error('the session expired');
    lock.lose('its session ended', cause);
    lock.lose('once more');
    expect(asked).toEqual(['stop', 'lost']);
    expect(lock.lost.reason).toMatchObject({ ...LOST, cause });
    expect(String(lock.lost.reason)).toContain('its session ended');
  });

  it('does nothing once the lock is being given back', async () => {
    const { lock } = setting();
    const unlocking = lock.unlock();
    lock.lose('its lease was revoked');
    await unlocking;
    expect(lock.lost.aborted).toBe(false);
  });
});

describe('unlock', () => {
  it('gives the lock back once, however often it is called, with a deadline of its own', async () => {
    const { lock, clock, asked, options } = setting();
    await Promise.all([lock.unlock(), lock.unlock()]);
    await lock.unlock();
    expect(asked).toEqual(['stop', 'release']);
    expect(options[0]?.signal).toBeUndefined();
    expect(options[0]?.deadline).toBeGreaterThan(clock.now());
  });

  it('is LockLost when the entry was its own no more', async () => {
    const { lock } = setting({ release: () => Promise.resolve(false) });
    await expect(lock.unlock()).rejects.toMatchObject(LOST);
    await expect(lock.unlock()).rejects.toMatchObject(LOST);
  });

  it('passes on that the store could not be told, to every caller', async () => {
    const { lock, asked } = setting({ release: () => Promise.reject(unavailable) });
    await expect(lock.unlock()).rejects.toBe(unavailable);
    await expect(lock.unlock()).rejects.toBe(unavailable);
    expect(asked).toEqual(['stop', 'release']);
  });

  it.each([
    ['goes well', () => Promise.resolve(true)],
    ['finds nothing', () => Promise.resolve(false)],
    ['fails', () => Promise.reject(unavailable)],
  ])(
    'of a lost lock is LockLost with the reason of the loss, and cleans up once: it %s',
    async (_, release) => {
      const { lock, asked } = setting({ release });
      lock.lose('its entry was deleted');
      await expect(lock.unlock()).rejects.toBe(lock.lost.reason);
      await expect(lock.unlock()).rejects.toBe(lock.lost.reason);
      expect(asked).toEqual(['stop', 'release']);
    },
  );
});
