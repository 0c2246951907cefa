import { describe, expect, it, vi } from 'vitest';
import {
  type CallContext,
  interrupted,
  outcomeUnknown,
  raceCall,
  timedOut,
  timeLeft,
} from '../../src/topo/calls.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { ManualClock } from '../support/manual-clock.js';

const STORE = 'memory://etcd/';

function setting() {
  const clock = new ManualClock();
  const context: CallContext = { store: STORE, clock, defaultTimeoutMs: 1000 };
  const abort = new AbortController();
  return { clock, context, abort, never: new Promise<string>(() => {}) };
}

const aborted = AbortSignal.abort('enough');

describe('timeLeft', () => {
  it('is the default without a deadline, else what is left until it', () => {
    const { clock, context } = setting();
    expect(timeLeft(context, undefined)).toBe(1000);
    expect(timeLeft(context, { deadline: clock.now() + 50 })).toBe(50);
  });

  it('refuses a call whose deadline is past', () => {
    const { clock, context } = setting();
    expect(() => timeLeft(context, { deadline: clock.now() }, 'a')).toThrow(
      expect.objectContaining({ code: ErrorCode.Timeout, path: 'a', store: STORE }),
    );
  });

  it('refuses a call whose signal has fired, with its reason as the cause', () => {
    expect(() => timeLeft(setting().context, { signal: aborted }, 'a')).toThrow(
      expect.objectContaining({ code: ErrorCode.Interrupted, path: 'a', store: STORE, cause: 'enough' }),
    );
  });
});

describe('raceCall', () => {
  it('gives what the work gives, and leaves no timer or listener', async () => {
    const { clock, context, abort } = setting();
    const remove = vi.spyOn(abort.signal, 'removeEventListener');
    const options = { signal: abort.signal };
    await expect(raceCall(context, options, { kind: 'read' }, Promise.resolve(7))).resolves.toBe(7);
    const failure = new Error('down');
    await expect(raceCall(context, options, { kind: 'read' }, () => Promise.reject(failure))).rejects.toBe(
      failure,
    );
    expect(clock.pending).toBe(0);
    expect(remove).toHaveBeenCalledTimes(2);
  });

  it('ends a read with Timeout at its deadline, or at the default', async () => {
    const { clock, context, never } = setting();
    const onEnd = vi.fn();
    const call = raceCall(context, { deadline: clock.now() + 50 }, { kind: 'read', path: 'a', onEnd }, never);
    const other = raceCall(context, undefined, { kind: 'read' }, never);
    clock.advance(50);
    await expect(call).rejects.toMatchObject({ code: ErrorCode.Timeout, path: 'a', store: STORE });
    expect(onEnd).toHaveBeenCalledOnce();
    clock.advance(950);
    await expect(other).rejects.toMatchObject({ code: ErrorCode.Timeout });
  });

  it('ends a read with Interrupted when its signal fires', async () => {
    const { clock, context, abort, never } = setting();
    const call = raceCall(context, { signal: abort.signal }, { kind: 'read', path: 'a' }, never);
    abort.abort('enough');
    await expect(call).rejects.toMatchObject({ code: ErrorCode.Interrupted, cause: 'enough' });
    expect(clock.pending).toBe(0);
  });

  it('ends a write with OutcomeUnknown, whose cause says why', async () => {
    const { clock, context, abort, never } = setting();
    const late = raceCall(context, { deadline: clock.now() + 50 }, { kind: 'write', path: 'a' }, never);
    const stopped = raceCall(context, { signal: abort.signal }, { kind: 'write' }, never);
    abort.abort();
    clock.advance(50);
    await expect(late).rejects.toMatchObject({
      code: ErrorCode.OutcomeUnknown,
      path: 'a',
      cause: { code: ErrorCode.Timeout },
    });
    await expect(stopped).rejects.toMatchObject({ cause: { code: ErrorCode.Interrupted } });
  });

  it('does not begin what is already over', async () => {
    const { context } = setting();
    const work = vi.fn(async () => 7);
    for (const kind of ['read', 'write'] as const) {
      await expect(raceCall(context, { signal: aborted }, { kind }, work)).rejects.toMatchObject({
        code: ErrorCode.Interrupted,
      });
    }
    expect(work).not.toHaveBeenCalled();
  });

  it('counts work that has begun elsewhere as sent', async () => {
    const { context } = setting();
    const work = Promise.reject(new Error('down'));
    await expect(raceCall(context, { signal: aborted }, { kind: 'write' }, work)).rejects.toMatchObject({
      code: ErrorCode.OutcomeUnknown,
    });
  });

  it('takes work that throws at once', async () => {
    const { clock, context } = setting();
    const failure = new Error('down');
    const work = () => {
      throw failure;
    };
    await expect(raceCall(context, undefined, { kind: 'read' }, work)).rejects.toBe(failure);
    expect(clock.pending).toBe(0);
  });
});

describe('the errors of a call', () => {
  it('can be retried when nothing can have happened, and never when something can', () => {
    const { context } = setting();
    expect(timedOut(context).retryable).toBe(true);
    expect(interrupted(context).retryable).toBe(false);
    expect(outcomeUnknown(context).retryable).toBe(false);
  });
});
