import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../src/topo/errors.js';
import type { Failed, Failures, Meaning } from '../../src/topo/member-failures.js';
import { type Ask, type Limits, Members } from '../../src/topo/members.js';
import { OpenCalls } from '../../src/topo/open-calls.js';
import { failure } from '../conformance/tools.js';
import { ManualClock } from '../support/manual-clock.js';
import { until } from '../support/until.js';

/** A failure that says itself what it means. */
class Failing extends Error {
  constructor(
    readonly sent: boolean,
    readonly meaning: Pick<Meaning, 'refused' | 'passing'>,
    text = 'no',
  ) {
    super(text);
  }
}

const unsent = (text?: string) => new Failing(false, { refused: true, passing: true }, text);
const busy = () => new Failing(true, { refused: true, passing: true }, 'busy');
const broken = () => new Failing(true, { refused: false, passing: true }, 'broken');
const forbidden = () => new Failing(true, { refused: true, passing: false }, 'forbidden');

const FAILURES: Failures<Failing> = {
  product: 'Any',
  isFailure: (error) => error instanceof Failing,
  meaningOf: ({ message, meaning }) => ({ code: ErrorCode.Unavailable, message, ...meaning }),
};

const READ: Failed = { kind: 'read', path: 'a' };
const WRITE: Failed = { kind: 'write', path: 'a' };
const TIME_MS = 900;

/** Three members named 1, 2 and 3, asked in that order. */
function three() {
  const clock = new ManualClock();
  const context = { store: 'any', clock, defaultTimeoutMs: TIME_MS };
  const make = (name: string) => ({ name });
  const settings = { failures: FAILURES, servers: ['1', '2', '1', '3'], random: () => 0, make };
  const members = new Members({ context, ...settings });
  const calls = new OpenCalls();
  const asked: string[] = [];
  /** A call whose attempts end as `outcomes` says, in turn; the last one again and again. */
  const call = (about: Failed, ...outcomes: ((limits: Limits) => unknown)[]) => {
    const ask: Ask<{ name: string }, unknown> = async ({ name }, limits) => {
      asked.push(name);
      const outcome = outcomes.length > 1 ? outcomes.shift() : outcomes[0];
      const result = await outcome?.(limits);
      if (result instanceof Error) throw result;
      return result;
    };
    return members.call(calls, about, undefined, ask);
  };
  const names = () => members.all.map(({ name }) => name).join('');
  return { clock, members, calls, asked, call, names };
}

/** As a member does when the request leaves. */
const sends =
  <T>(outcome: () => T) =>
  ({ onSend }: Limits): T => {
    onSend?.();
    return outcome();
  };

/** Never an answer, but an end when the call is given up. */
const silence = ({ signal, onSend }: Limits) =>
  new Promise((resolve) => {
    onSend?.();
    signal.addEventListener('abort', () => resolve(broken()));
  });

describe('members', () => {
  test('a server that is named twice is one member, and chance decides who is asked first', () => {
    expect(three().names()).toBe('123');
  });

  test('a read that failed in passing goes to the next member, and who failed is asked last from then on', async () => {
    const { call, asked, names } = three();
    expect(
      await call(
        READ,
        sends(broken),
        () => unsent(),
        () => 'found',
      ),
    ).toBe('found');
    expect(asked).toEqual(['1', '2', '3']);
    expect(names()).toBe('312');
  });

  test('what another member would refuse, too, is the error at once', async () => {
    const { call, asked } = three();
    expect(await failure(call(READ, forbidden))).toMatchObject({
      code: 'Unavailable',
      path: 'a',
      store: 'any',
    });
    expect(asked).toEqual(['1']);
  });

  test('a write goes to another member when it never left, or was refused in passing', async () => {
    const { call, asked } = three();
    expect(
      await call(
        WRITE,
        () => unsent(),
        sends(busy),
        sends(() => 'done'),
      ),
    ).toBe('done');
    expect(asked).toEqual(['1', '2', '3']);
  });

  test('a write that left and was not answered is OutcomeUnknown, and sent to nobody else', async () => {
    const { call, asked } = three();
    const error = await failure(call(WRITE, sends(broken)));
    expect(error).toMatchObject({ code: 'OutcomeUnknown', path: 'a', cause: { code: 'Unavailable' } });
    expect(asked).toEqual(['1']);
    await call(WRITE, () => 'done');
    expect(asked).toEqual(['1', '2']);
  });

  test('an error that is no member’s leaves a write in doubt, and not a read', async () => {
    expect(await failure(three().call(WRITE, () => new Error('a slip')))).toMatchObject({
      code: 'OutcomeUnknown',
    });
    expect(await failure(three().call(READ, () => new Error('a slip')))).toMatchObject({
      code: 'Unavailable',
    });
  });

  test('each member has an equal share of the time that is left, a write that was sent all of it', async () => {
    const { call, clock } = three();
    const begin = clock.now();
    const shares: [connect: number, answer: number, call: number | undefined][] = [];
    const note = ({ connectBy, answerBy, callEnds = 0 }: Limits) => {
      shares.push([connectBy - begin, answerBy - begin, callEnds - begin]);
      return shares.length < 3 ? unsent() : 'answer';
    };
    await call(READ, note);
    expect(shares).toEqual([
      [300, 300, 900],
      [450, 450, 900],
      [900, 900, 900],
    ]);
    shares.length = 0;
    await call(WRITE, note);
    expect(shares.map(([, answer]) => answer)).toEqual([900, 900, 900]);
  });

  test('when nobody can be reached it is Unavailable after one round, with each reason once', async () => {
    const { call, asked } = three();
    const error = await failure(
      call(
        READ,
        () => unsent('down'),
        () => unsent('gone'),
        () => unsent('down'),
      ),
    );
    expect(error.message).toContain('no Any server can be reached: down; gone (');
    expect(asked).toHaveLength(3);
  });

  test('members that answer and refuse in passing are asked again, after rests, until the time would be over', async () => {
    const { call, asked, clock } = three();
    const error = failure(call(WRITE, sends(busy)));
    for (let rest = 50; rest <= 400; rest *= 2) {
      while (clock.pending < 2) await new Promise(setImmediate);
      clock.advance(rest);
    }
    expect(await error).toMatchObject({ code: 'Timeout', cause: { message: 'busy' } });
    expect(asked).toHaveLength(15);
  });

  test('the deadline ends a read with Timeout, and a write that left with OutcomeUnknown', async () => {
    for (const [about, code] of [
      [READ, 'Timeout'],
      [WRITE, 'OutcomeUnknown'],
    ] as const) {
      const { call, asked, clock } = three();
      const error = failure(call(about, silence));
      while (asked.length === 0) await new Promise(setImmediate);
      clock.advance(TIME_MS);
      expect(await error).toMatchObject({ code });
      expect(asked).toEqual(['1']);
      expect(clock.pending).toBe(0);
      // Nor does it keep the next one waiting.
      await call(about, () => 'answer');
      expect(asked).toEqual(['1', '2']);
    }
  });

  test('calls that end together: what runs is cancelled, nobody is to blame, what comes later does not begin', async () => {
    const { call, calls, asked, names } = three();
    const running = [failure(call(READ, silence)), failure(call(WRITE, silence))];
    calls.end(new Error('closed'));
    const codes = (await Promise.all(running)).map(({ code }) => code);
    expect(codes).toEqual(['Interrupted', 'OutcomeUnknown']);
    expect(names()).toBe('123');
    const before = asked.length;
    expect(await failure(call(READ, () => 'answer'))).toMatchObject({ code: 'Interrupted' });
    expect(asked).toHaveLength(before);
  });

  test('one that fails with what it kept goes behind the others, unless it was told to end', async () => {
    const { members, names } = three();
    const { signal } = new AbortController();
    const fails = async () => Promise.reject(broken());
    await expect(members.keep(signal, fails)).rejects.toThrow('broken');
    expect(names()).toBe('231');
    await expect(members.keep(AbortSignal.abort(), fails)).rejects.toThrow('broken');
    expect(names()).toBe('231');
    members.promote(members.all[2] ?? { name: '' });
    expect(names()).toBe('123');
  });

  test('what a member keeps is asked of another one as soon as that member fails somebody else', async () => {
    const { members, call, names } = three();
    const end = new AbortController();
    const keepers: string[] = [];
    const kept = members.keep(end.signal, async ({ name }, signal) => {
      keepers.push(name);
      throw await silence({ signal, connectBy: 0, answerBy: 0 });
    });
    expect(await call(READ, sends(broken), () => 'found')).toBe('found');
    await until('the next', () => keepers.length > 1);
    end.abort();
    await expect(kept).rejects.toThrow('broken');
    expect(keepers).toEqual(['1', '2']);
    expect(names()).toBe('231');
  });
});
