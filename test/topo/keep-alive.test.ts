import { describe, expect, it } from 'vitest';
import type { CallOptions } from '../../src/topo/connection.js';
import { keepAlive } from '../../src/topo/keep-alive.js';
import { ManualClock } from '../support/manual-clock.js';

const TTL_MS = 9_000;

/** A lease that is kept alive, on a clock that the test moves. `answer` decides what becomes of the next renewals. */
function setting(answer: () => Promise<boolean> = () => Promise.resolve(true)) {
  const clock = new ManualClock();
  const state = { answer };
  const begun = clock.now();
  /** Milliseconds after the beginning at which renewals were sent. */
  const sent: number[] = [];
  const options: CallOptions[] = [];
  const over: { readonly at: number; readonly why: string }[] = [];
  const stop = keepAlive({
    context: { clock },
    ttlMs: TTL_MS,
    since: begun,
    renew: (given) => {
      sent.push(clock.now() - begun);
      options.push(given);
      return state.answer();
    },
    onOver: (why) => over.push({ at: clock.now() - begun, why }),
  });
  /** Lets time pass in small steps, and what was promised be kept in between. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(Math.min(50, left));
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    }
  };
  return { clock, begun, state, sent, options, over, stop, pass };
}

const never = () => new Promise<boolean>(() => {});
const fails = () => Promise.reject(new Error('no server answers'));

describe('keepAlive', () => {
  it('renews after each third of the time to live, for as long as it goes well', async () => {
    const { sent, over, pass, stop } = setting();
    await pass(10 * TTL_MS);
    expect(sent).toEqual(Array.from({ length: 30 }, (_, i) => (i + 1) * (TTL_MS / 3)));
    expect(over).toEqual([]);
    stop();
  });

  it('limits a renewal by the moment at which the lease may be over', async () => {
    const { begun, options, pass, stop } = setting();
    await pass(2 * (TTL_MS / 3));
    expect(options.map(({ deadline }) => (deadline ?? 0) - begun)).toEqual([TTL_MS, TTL_MS / 3 + TTL_MS]);
    stop();
  });

  it('leaves no timer once it is stopped, ends the renewal under way, and tells nothing more', async () => {
    const { clock, options, over, pass, sent, stop } = setting(never);
    await pass(TTL_MS / 3);
    stop();
    expect(options[0]?.signal?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
    await pass(3 * TTL_MS);
    expect([sent.length, over]).toEqual([1, []]);
  });

  it('is over as soon as the store says so, told once', async () => {
    const { clock, over, pass, sent } = setting(() => Promise.resolve(false));
    await pass(3 * TTL_MS);
    expect(over).toEqual([{ at: TTL_MS / 3, why: expect.stringContaining('ended') }]);
    expect([sent.length, clock.pending]).toEqual([1, 0]);
  });

  it('tries again soon after a renewal that failed, and goes on when one goes through in time', async () => {
    const { over, pass, sent, state, stop } = setting(fails);
    await pass(TTL_MS - 300);
    expect(sent.length).toBeGreaterThan(5);
    state.answer = () => Promise.resolve(true);
    await pass(2 * TTL_MS);
    expect(over).toEqual([]);
    stop();
  });

  it.each([
    ['fail', fails],
    ['are not answered', never],
  ])(
    'is over a time to live after the last renewal that went well was sent, when later ones %s',
    async (_, answer) => {
      const { clock, over, pass, state } = setting();
      await pass(TTL_MS);
      state.answer = answer;
      await pass(3 * TTL_MS);
      expect(over).toEqual([{ at: 2 * TTL_MS, why: expect.any(String) }]);
      expect(clock.pending).toBe(0);
    },
  );

  it('counts from when a renewal was sent, not from its answer', async () => {
    let answer = (_alive: boolean) => {};
    const { over, pass, state } = setting(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    await pass(TTL_MS - 100);
    answer(true);
    state.answer = never;
    await pass(TTL_MS);
    expect(over.map(({ at }) => at)).toEqual([TTL_MS / 3 + TTL_MS]);
  });

  it('is over for a process that was stopped for longer than the time to live, before it asks the store', async () => {
    const { clock, over, sent, pass } = setting();
    await pass(TTL_MS / 3);
    // A process that wakes up finds all its timers due at a time that is long past theirs.
    const late = clock.now() + 10 * TTL_MS;
    const { now } = clock;
    clock.now = () => late;
    clock.advance(TTL_MS / 3);
    clock.now = now;
    expect(over.length).toBe(1);
    expect(sent.length).toBe(1);
  });

  it('is over in time when no renewal goes through and the clock was set back', async () => {
    const { clock, over, pass, state } = setting();
    await pass(TTL_MS);
    state.answer = fails;
    const { now } = clock;
    clock.now = () => now.call(clock) - 3_600_000;
    await pass(TTL_MS - 50);
    expect(over).toEqual([]);
    await pass(50);
    expect(over.length).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('an answer that comes after the lease may be over does not bring it back', async () => {
    let answer = (_alive: boolean) => {};
    const { over, pass } = setting(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    await pass(TTL_MS + 50);
    expect(over.length).toBe(1);
    answer(true);
    await pass(TTL_MS);
    expect(over.length).toBe(1);
  });
});
