import { describe, expect, it, vi } from 'vitest';
import type { CallContext } from '../../src/topo/calls.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { EventQueue, watchEvents } from '../../src/topo/queue.js';
import { ManualClock } from '../support/manual-clock.js';

async function read<T>(events: AsyncIterable<T>, count: number): Promise<T[]> {
  const seen: T[] = [];
  for await (const event of events) {
    seen.push(event);
    if (seen.length === count) break;
  }
  return seen;
}

describe('EventQueue', () => {
  it('delivers in order what was pushed before and during the loop', async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    const reading = read(queue, 3);
    await Promise.resolve();
    queue.push(2);
    queue.push(3);
    await expect(reading).resolves.toEqual([1, 2, 3]);
  });

  it('keeps only the latest unread event of a key', async () => {
    const queue = new EventQueue<string>();
    queue.push('a1', 'a');
    queue.push('b1', 'b');
    queue.push('a2', 'a');
    queue.push('synced');
    await expect(read(queue, 3)).resolves.toEqual(['a2', 'b1', 'synced']);
  });

  it('delivers an event of a key again once the last one was read', async () => {
    const queue = new EventQueue<string>();
    const events = queue[Symbol.asyncIterator]();
    for (const item of ['a1', 'a2']) {
      queue.push(item, 'a');
      await expect(events.next()).resolves.toEqual({ done: false, value: item });
    }
  });

  it('ends with the first failure at once, and drops what is unread', async () => {
    const queue = new EventQueue<number>();
    queue.push(1);
    const failure = new Error('over');
    queue.fail(failure);
    queue.fail(new Error('later'));
    queue.push(2);
    await expect(read(queue, 1)).rejects.toBe(failure);
  });

  it('wakes a waiting loop with a failure', async () => {
    const queue = new EventQueue<number>();
    const failure = new Error('over');
    const reading = read(queue, 1);
    await Promise.resolve();
    queue.fail(failure);
    await expect(reading).rejects.toBe(failure);
  });

  it('ends a waiting step when it is left', async () => {
    const queue = new EventQueue<number>();
    const events = queue[Symbol.asyncIterator]();
    const step = events.next();
    await events.return?.();
    await expect(step).resolves.toEqual({ done: true, value: undefined });
  });

  it('calls back once, when it is left or fails, and at once when that is past', async () => {
    const left = vi.fn();
    const queue = new EventQueue<number>();
    queue.onClose(left);
    queue.push(1);
    await read(queue, 1);
    expect(left).toHaveBeenCalledOnce();
    const failed = vi.fn();
    const other = new EventQueue<number>();
    other.onClose(failed);
    other.fail(new Error('over'));
    await read(other, 1).catch(() => {});
    expect(failed).toHaveBeenCalledOnce();
    other.onClose(failed);
    expect(failed).toHaveBeenCalledTimes(2);
  });

  it('holds 200,000 events without slowing down', async () => {
    const queue = new EventQueue<number>();
    for (let i = 0; i < 200_000; i++) queue.push(i);
    const seen = await read(queue, 200_000);
    expect(seen.at(-1)).toBe(199_999);
  }, 5000);
});

describe('watchEvents', () => {
  const clock = new ManualClock();
  const context: CallContext = { store: 'memory://etcd/', clock, defaultTimeoutMs: 1000 };

  it('starts anew with each loop, at its first step', async () => {
    const start = vi.fn((queue: EventQueue<number>) => queue.push(7));
    const events = watchEvents<number>(context, undefined, 'a', start);
    events[Symbol.asyncIterator]();
    expect(start).not.toHaveBeenCalled();
    await expect(read(events, 1)).resolves.toEqual([7]);
    await expect(read(events, 1)).resolves.toEqual([7]);
    expect(start).toHaveBeenCalledTimes(2);
  });

  it('ends with what its start throws', async () => {
    const failure = new Error('no');
    const events = watchEvents<number>(context, undefined, 'a', () => {
      throw failure;
    });
    await expect(read(events, 1)).rejects.toBe(failure);
  });

  it('does not start what is already over', async () => {
    const start = vi.fn();
    const events = watchEvents<number>(context, { signal: AbortSignal.abort() }, 'a', start);
    await expect(read(events, 1)).rejects.toMatchObject({ code: ErrorCode.Interrupted, path: 'a' });
    expect(start).not.toHaveBeenCalled();
  });

  it('ends when the signal fires', async () => {
    const abort = new AbortController();
    const closed = vi.fn();
    const events = watchEvents<number>(context, { signal: abort.signal }, 'a', (queue) =>
      queue.onClose(closed),
    );
    const reading = read(events, 1);
    await Promise.resolve();
    abort.abort('enough');
    await expect(reading).rejects.toMatchObject({ code: ErrorCode.Interrupted, cause: 'enough' });
    expect(closed).toHaveBeenCalledOnce();
  });

  it('ends at its deadline, and without one goes on for longer than other calls', async () => {
    const reading = read(
      watchEvents<number>(context, { deadline: clock.now() + 5000 }, 'a', () => {}),
      1,
    );
    const queues: EventQueue<number>[] = [];
    const other = read(
      watchEvents<number>(context, undefined, 'a', (queue) => {
        queues.push(queue);
      }),
      1,
    );
    await Promise.resolve();
    clock.advance(4999);
    clock.advance(1);
    await expect(reading).rejects.toMatchObject({ code: ErrorCode.Timeout });
    queues[0]?.push(1);
    await expect(other).resolves.toEqual([1]);
    expect(clock.pending).toBe(0);
  });
});
