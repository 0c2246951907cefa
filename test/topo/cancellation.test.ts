import { describe, expect, it } from 'vitest';
import { Cancellation, firstOf } from '../../src/topo/cancellation.js';

describe('a cancellation', () => {
  it('calls its listeners once, in their order, and says then that it is aborted, and why', () => {
    const cancellation = new Cancellation();
    const calls: string[] = [];
    const why = new Error('the time is up');
    cancellation.addEventListener('abort', () => calls.push(`first ${cancellation.aborted}`));
    cancellation.addEventListener('abort', () => calls.push(`second ${cancellation.reason === why}`));
    expect([cancellation.aborted, cancellation.reason]).toEqual([false, undefined]);

    cancellation.abort(why);
    cancellation.abort(new Error('another'));

    expect(calls).toEqual(['first true', 'second true']);
    expect(cancellation.reason).toBe(why);
  });

  it('does not call a listener that was removed before, nor one that came after', () => {
    const cancellation = new Cancellation();
    const calls: string[] = [];
    const removed = () => calls.push('removed');
    cancellation.addEventListener('abort', removed);
    cancellation.addEventListener('abort', () => calls.push('kept'));
    cancellation.removeEventListener('abort', removed);
    cancellation.removeEventListener('abort', removed);

    cancellation.abort();
    cancellation.addEventListener('abort', () => calls.push('late'));
    cancellation.abort();

    expect(calls).toEqual(['kept']);
  });

  it('lets a listener remove itself and others while they are called', () => {
    const cancellation = new Cancellation();
    const calls: string[] = [];
    const first = () => {
      calls.push('first');
      cancellation.removeEventListener('abort', first);
    };
    cancellation.addEventListener('abort', first);
    cancellation.addEventListener('abort', () => calls.push('second'));

    cancellation.abort();

    expect(calls).toEqual(['first', 'second']);
  });
});

describe('the first of several signals', () => {
  it('is told with its reason, once, and at once when it is past', () => {
    const [own, nodes] = [new Cancellation(), new AbortController()];
    const either = firstOf(own, nodes.signal);
    const calls: unknown[] = [];
    either.addEventListener('abort', () => calls.push(either.reason));
    expect([either.aborted, either.reason]).toEqual([false, undefined]);

    nodes.abort('over');
    own.abort('too late');

    expect(calls).toEqual(['over']);
    expect([either.aborted, either.reason]).toEqual([true, 'over']);
    expect(firstOf(new Cancellation(), own)).toMatchObject({ aborted: true, reason: 'too late' });
  });
});
