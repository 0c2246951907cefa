import type { CallLimits } from './call-options.js';
import { type CallContext, interrupted, outcomeUnknown, raceCall, timedOut, timeLeft } from './calls.js';
import { Cancellation, type CancelSignal } from './cancellation.js';
import type { Random } from './clock.js';
import { ErrorCode, isTopologyError } from './errors.js';
import { callFailed, type Failed, type Failures, type MemberFailure, noMember } from './member-failures.js';
import type { OpenCall, OpenCalls } from './open-calls.js';
import { sleep } from './sleep.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

/** How long a request to one member may take. Moments are milliseconds since the epoch, as {@link MembersOptions.now} tells them. */
export interface Limits {
  /** When to give up waiting for a connection. */
  readonly connectBy: number;
  /** When to give up waiting for the answer. */
  readonly answerBy: number;
  /** When the whole call is given up, and the signal fires: what is not to end before needs no timer. Absent: never. */
  readonly callEnds?: number | undefined;
  readonly signal: CancelSignal;
  /** Called when the request is about to leave. */
  readonly onSend?: (() => void) | undefined;
}

/** One request, to whichever member is asked. Fails as the members do ({@link Failures}). */
export type Ask<M, T> = (member: M, limits: Limits) => Promise<T>;

export interface MembersOptions<M, F extends MemberFailure> {
  readonly context: CallContext;
  readonly failures: Failures<F>;
  /** As an address names them; one that is named twice is one member. */
  readonly servers: readonly string[];
  /** For the order in which they are asked, so that not all clients ask the same one. */
  readonly random: Random;
  readonly make: (server: string) => M;
  /** The clock that the members measure their limits with. Default: the connection's. */
  readonly now?: (() => number) | undefined;
}

/**
 * The servers of one store, tried in turn until one answers.
 *
 * Reads go to another member, or to the same again, until the call's deadline. Writes are sent once: they go to
 * another member only when it is certain that the request never left, or was refused in passing.
 */
export class Members<M extends object, F extends MemberFailure> {
  readonly #context: CallContext;
  readonly #failures: Failures<F>;
  readonly #now: () => number;
  /** The first one is asked first; one that failed goes to the end. */
  readonly #members: M[];
  /** Requests that members may keep, and who keeps them. */
  readonly #kept = new Map<Cancellation, M>();

  constructor({
    context,
    failures,
    servers,
    random,
    make,
    now = () => context.clock.now(),
  }: MembersOptions<M, F>) {
    this.#context = context;
    this.#failures = failures;
    this.#now = now;
    this.#members = shuffled([...new Set(servers)], random).map(make);
  }

  /** In the order in which the next call asks them. */
  get all(): readonly M[] {
    return this.#members;
  }

  /** Puts a member that answered before the others. */
  promote(member: M): void {
    this.#members.sort((a, b) => Number(b === member) - Number(a === member));
  }

  /** Puts a member that failed behind the others, which are then asked for what it keeps: of a frozen one nothing comes. */
  #demote(member: object | undefined): void {
    const [first, second] = this.#members;
    if (first === undefined || first !== member) return;
    this.#members.shift();
    this.#members.push(first);
    if (second === undefined) return;
    for (const [request, by] of this.#kept) if (by === first) request.abort();
  }

  /**
   * Asks until a member answers. Fails with a TopologyError about what was asked; of a write none but OutcomeUnknown
   * leaves a doubt.
   *
   * @param calls what the call ends with, beside its own signal and deadline
   */
  call<T>(calls: OpenCalls, about: Failed, options: CallLimits | undefined, ask: Ask<M, T>): Promise<T> {
    const context = this.#context;
    const { path } = about;
    if (calls.ended !== undefined) return Promise.reject(interrupted(context, path, calls.ended.reason));
    const call = calls.open(about);
    // Raced as a read, because a write that is not sent yet fails as one: `sent` tells them apart.
    const race = { kind: 'read', path, onEnd: () => call.abort() } as const;
    const outcome = raceCall(context, options, race, () => {
      call.until = this.#now() + timeLeft(context, options, path);
      return this.#begin(call, ask);
    });
    return outcome.then(
      (answer) => {
        calls.forget(call);
        return answer;
      },
      (error: unknown) => {
        calls.forget(call);
        // Who let the time of one call run out is not to keep the next one waiting: a write that was sent has no second try.
        if (isTopologyError(error, ErrorCode.Timeout)) this.#demote(call.asked);
        const unanswered = isTopologyError(error, ErrorCode.Interrupted, ErrorCode.Timeout);
        throw unanswered && about.kind === 'write' && call.sent
          ? outcomeUnknown(context, path, error)
          : error;
      },
    );
  }

  /** Asks the member that answered last, once. Fails as `ask` does. */
  async once<T>(signal: CancelSignal, ask: (member: M) => Promise<T>): Promise<T> {
    const [member] = this.#members;
    if (member === undefined) throw new TypeError('a store has a server');
    try {
      return await ask(member);
    } catch (error) {
      if (!signal.aborted) this.#demote(member);
      throw error;
    }
  }

  /** As {@link once}, for what a member may keep until something changes: where it fails somebody else meanwhile, another one is asked. */
  async keep<T>(signal: CancelSignal, ask: (member: M, signal: CancelSignal) => Promise<T>): Promise<T> {
    for (;;) {
      const request = new Cancellation();
      const end = () => request.abort(signal.reason);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
      try {
        return await this.once(request, (member) => {
          this.#kept.set(request, member);
          return ask(member, request).finally(() => this.#kept.delete(request));
        });
      } catch (error) {
        if (signal.aborted || !request.aborted) throw error;
      } finally {
        signal.removeEventListener('abort', end);
      }
    }
  }

  /** Waits before another attempt, longer with each round; ends early when the signal fires. */
  pause(round: number, signal: CancelSignal): Promise<void> {
    return sleep(this.#context.clock, pauseMs(round), signal);
  }

  /** Nearly every call ends with its first request: those cost no more than that. */
  #begin<T>(call: OpenCall, ask: Ask<M, T>): Promise<T> {
    const members = [...this.#members];
    const [first] = members;
    if (first === undefined) throw new TypeError('a store has a server');
    call.asked = first;
    const attempt = ask(first, this.#limits(call, members.length));
    return attempt.catch(() => this.#inTurn(call, ask, members, attempt));
  }

  /** @param begun the request to the first of the members */
  async #inTurn<T>(call: OpenCall, ask: Ask<M, T>, inOrder: readonly M[], begun: Promise<T>): Promise<T> {
    const { path } = call.about;
    let members = inOrder;
    let attempt: Promise<T> | undefined = begun;
    for (let round = 0; ; round++) {
      const failures: F[] = [];
      for (const [i, member] of members.entries()) {
        call.asked = member;
        try {
          return await (attempt ?? ask(member, this.#limits(call, members.length - i)));
        } catch (error) {
          if (call.aborted) throw interrupted(this.#context, path, call.reason);
          failures.push(this.#judge(error, call, member));
        }
        attempt = undefined;
      }
      const telling = failures.find(({ sent }) => sent) ?? failures.at(-1);
      if (this.#now() >= call.until) throw timedOut(this.#context, path, telling);
      if (failures.every(({ sent }) => !sent)) throw noMember(this.#failures, this.#context, failures, path);
      // Rather than wait for the deadline in vain: only here it is known what the call kept failing with.
      if (this.#now() + pauseMs(round) >= call.until) throw timedOut(this.#context, path, telling);
      await this.pause(round, call);
      members = [...this.#members];
    }
  }

  /** A failure after which another member may be asked; throws what it is otherwise. Whoever failed in passing goes behind the others. */
  #judge(error: unknown, call: OpenCall, member: M): F {
    if (this.#failures.isFailure(error)) {
      const { refused, passing } = this.#failures.meaningOf(error);
      if (refused) call.sent = false;
      if (passing) this.#demote(member);
      if (passing && (refused || call.about.kind === 'read')) return error;
    }
    throw callFailed(this.#failures, this.#context, error, call.about);
  }

  /** The member's share of the time: an equal part for each that is left to ask. A write that was sent takes all. */
  #limits(call: OpenCall, left: number): Limits {
    const { until, about, onSend } = call;
    const now = this.#now();
    const share = left === 1 ? until : now + Math.max(0, until - now) / left;
    const answerBy = about.kind === 'read' ? share : until;
    return { connectBy: share, answerBy, callEnds: until, signal: call, onSend };
  }
}

function pauseMs(round: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** round);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const rest = [...items];
  const order: T[] = [];
  while (rest.length > 0) order.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return order;
}
