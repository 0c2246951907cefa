import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { GLOBAL } from '../topo/topology.js';
import { PAUSE_MS, Watches } from '../topo/watches.js';
import { type PreparedCopy, planCopy } from './copy.js';
import { Condition } from './follow-condition.js';
import type { FollowOptions, FollowState } from './follow-options.js';
import { FollowedPart } from './follow-part.js';
import { checkLost } from './guard-passes.js';
import type { GuardName } from './objection.js';
import type { CopyOptions, Totals } from './options.js';
import { Pace, sleep } from './pace.js';
import { type Parts, partsOf } from './parts.js';
import { planPart, writePass } from './pass.js';
import { isPassing, worstFailure } from './passing.js';
import type { Plan, ScopePlan } from './plan.js';
import { Refused } from './stop.js';

const GRACE_MS = 5_000;
const TRIES_IN_GRACE = 10;

/**
 * Copies, and goes on copying, one way, while every process is still on the source: watches tell what changed, and complete passes
 * find what they may have missed. In the destination it replaces only what is in a state of its own; what somebody else wrote there
 * stops it (Guard), unless it comes to equal the source, as what another follower wrote does. Ends when the signal fires, with
 * everything that was under way done; with no complete pass if that was during the first one. A store that does not answer is waited for, but for the first reading.
 */
export async function follow(options: FollowOptions): Promise<FollowState> {
  const follower = new Follower(options);
  try {
    return await follower.run();
  } finally {
    follower.stop();
  }
}

/** When a pass began. */
interface Began {
  readonly restarts: number;
  /** In milliseconds since the epoch. */
  readonly at: number;
}

/** Records of the destination that a plan is refused for, where nothing else stands in the way and another follower may have written them. */
function strangeIn(error: unknown): string[] {
  if (!(error instanceof Refused) || error.objections.some(({ guard }) => !STRANGE.has(guard))) return [];
  return error.objections.flatMap(({ about }) => about);
}

const STRANGE: ReadonlySet<GuardName> = new Set<GuardName>(['foreign', 'extra']);

class Follower {
  readonly #options: FollowOptions;
  readonly #watches: Watches<FollowedPart>;
  readonly #condition: Condition;
  readonly #totals: Totals = { written: 0, bytes: 0 };
  #parts: FollowedPart[] = [];
  #plan: Plan | undefined;
  #wake = (): void => {};
  /** Restarts of watches that a complete pass has made good. */
  #closed = 0;
  /** What ended a watch for good. */
  #fatal: { readonly error: unknown } | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#condition = new Condition(options.clock);
    this.#watches = new Watches(options, {
      onLost: (part, error) => this.#lost(part, error),
      onBack: () => this.#wake(),
    });
  }

  stop(): void {
    this.#watches.stop();
  }

  async run(): Promise<FollowState> {
    this.#options.onStart?.(() => this.#state());
    try {
      await this.#begin();
    } catch (error) {
      if (!this.#isStopped() || !isTopologyError(error, ErrorCode.Interrupted)) throw error;
    }
    while (!this.#isStopped()) {
      try {
        if (await this.#step()) break;
      } catch (error) {
        if (this.#isStopped()) break;
        if (!isPassing(error)) throw error;
        await this.#failed(error);
      }
    }
    this.#tell();
    return this.#state();
  }

  /** One round; whether it was the last. */
  async #step(): Promise<boolean> {
    const { clock, passEveryMs, gatherMs, untilEqual } = this.#options;
    if (this.#fatal !== undefined) throw this.#fatal.error;
    const due = (this.#condition.passed ?? 0) + passEveryMs;
    if (this.#hasGap() || untilEqual === true || clock.now() >= due) {
      const found = await this.#pass();
      if (untilEqual === true && found === 0 && this.#waiting() === 0) {
        this.#condition.isWell();
        return true;
      }
    }
    await this.#flush();
    this.#condition.isWell();
    this.#tell();
    await this.#sleep(untilEqual === true ? gatherMs : due - clock.now());
    if (this.#waiting() > 0) await sleep(clock, gatherMs, this.#options.signal).catch(() => {});
    return false;
  }

  /** The first pass, with all guards of a copy. The watches begin before it reads, so that nothing is missed in between. */
  async #begin(): Promise<void> {
    const options = this.#options;
    const { parts } = await partsOf(options);
    const { clock, rate, graceMs = GRACE_MS } = options;
    const followed = { ...options, pace: new Pace(clock, rate), graceMs, wake: () => this.#wake() };
    this.#parts = parts.map((part) => new FollowedPart(part, followed));
    await Promise.all(this.#parts.map((part) => part.prepare()));
    await Promise.all(this.#parts.map((part) => this.#watches.begin(part)));
    for (;;) {
      try {
        await this.#copy(parts);
        return;
      } catch (error) {
        // What was never reached is told at once: the address may be wrong.
        if (this.#plan === undefined || !isPassing(error) || this.#isStopped()) throw error;
        await this.#failed(error);
      }
    }
  }

  async #copy(parts: Parts['parts']): Promise<void> {
    const options = this.#options;
    const began = this.#began();
    const ledgers = new Map(parts.map(({ scope, ledger }) => [scope, ledger]));
    const prepared = await this.#prepared({ ...options, ledgers });
    if (this.#plan === undefined) await options.onPlan?.(prepared);
    this.#plan = prepared.plan;
    await writePass(prepared.plan, prepared.parts, options, this.#totals);
    for (const [part, plan] of this.#planned(prepared.plan)) part.copied(plan);
    this.#ended(prepared.plan, began);
  }

  /** What another follower is about to bring over is waited for, as in every later pass. */
  async #prepared(options: CopyOptions): Promise<PreparedCopy> {
    const { clock, signal } = options;
    const { graceMs = GRACE_MS } = this.#options;
    let since = new Map<string, number>();
    for (;;) {
      try {
        return await planCopy(options);
      } catch (error) {
        const now = clock.now();
        const strange = strangeIn(error);
        since = new Map(strange.map((about) => [about, since.get(about) ?? now]));
        if (strange.length === 0 || [...since.values()].some((at) => now - at >= graceMs)) throw error;
        await sleep(clock, graceMs / TRIES_IN_GRACE, signal);
      }
    }
  }

  #isStopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** Whether a watch missed what no complete pass has found yet. */
  #hasGap(): boolean {
    return this.#watches.restarts > this.#closed;
  }

  /** Reads both sides. Answers with how many paths differ, which are dirty from now on. */
  async #pass(): Promise<number> {
    const options = this.#options;
    const began = this.#began();
    const scopes = await Promise.all(this.#parts.map(({ part }) => planPart(part, options)));
    const plan = { scopes, cells: this.#plan?.cells ?? [] };
    if (this.#plan !== undefined) checkLost(plan, this.#plan, options.overrules ?? {});
    let found = 0;
    for (const [part, scope] of this.#planned(plan)) found += part.passed(scope);
    this.#ended(plan, began);
    return found;
  }

  #planned(plan: Plan): (readonly [FollowedPart, ScopePlan])[] {
    return this.#parts.flatMap((part) => {
      const scope = plan.scopes.find((each) => each.scope === part.part.scope);
      return scope === undefined ? [] : [[part, scope] as const];
    });
  }

  #began(): Began {
    return { restarts: this.#watches.restarts, at: this.#options.clock.now() };
  }

  #ended(plan: Plan, began: Began): void {
    this.#plan = plan;
    this.#closed = began.restarts;
    this.#condition.isPassed(began.at, !this.#hasGap() && this.#watches.isComplete);
    this.#options.onPass?.(plan, this.#options.clock.now() - began.at);
  }

  /**
   * What was made and changed first, and then what went, the global store's before the cells': no Shard names a Tablet that
   * is not there.
   */
  async #flush(): Promise<void> {
    await this.#flushed(this.#parts, false);
    const isGlobal = ({ part }: FollowedPart) => part.scope === GLOBAL;
    await this.#flushed(this.#parts.filter(isGlobal), true);
    await this.#flushed(
      this.#parts.filter((part) => !isGlobal(part)),
      true,
    );
  }

  async #flushed(parts: readonly FollowedPart[], gone: boolean): Promise<void> {
    const settled = await Promise.allSettled(parts.map((part) => part.flush(gone)));
    for (const result of settled) if (result.status === 'fulfilled') this.#totals.written += result.value;
    const failures: unknown[] = settled.flatMap((result) =>
      result.status === 'rejected' ? [result.reason] : [],
    );
    const worst = worstFailure(failures);
    if (worst !== undefined) throw worst;
  }

  #lost({ part }: FollowedPart, error: unknown): void {
    this.#condition.isUnsure();
    this.#note(error, part.scope);
    if (!isPassing(error)) this.#fatal ??= { error };
    this.#wake();
  }

  async #failed(error: unknown): Promise<void> {
    this.#note(error, undefined);
    this.#condition.isFailing();
    this.#tell();
    await sleep(this.#options.clock, PAUSE_MS, this.#options.signal).catch(() => {});
  }

  #note(error: unknown, scope: string | undefined): void {
    this.#condition.note(error);
    this.#options.onFailure?.(error, scope);
  }

  /** Waits until there is something to do, or `ms` milliseconds. */
  async #sleep(ms: number): Promise<void> {
    if (this.#waiting() > 0 || this.#hasGap() || this.#fatal !== undefined || ms <= 0) return;
    const { signal } = this.#options;
    await new Promise<void>((resolve) => {
      const end = () => {
        cancel();
        signal?.removeEventListener('abort', end);
        this.#wake = () => {};
        resolve();
      };
      const cancel = this.#options.clock.schedule(ms, end);
      this.#wake = end;
      signal?.addEventListener('abort', end, { once: true });
      if (signal?.aborted === true) end();
    });
  }

  #waiting(): number {
    return this.#parts.reduce((sum, { dirty }) => sum + dirty.size, 0);
  }

  #tell(): void {
    this.#options.onState?.(this.#state());
  }

  #state(): FollowState {
    const now = this.#options.clock.now();
    const parts = this.#parts.map((part) => part.state(now, this.#watches.has(part)));
    const { unsureMs, ...condition } = this.#condition.state();
    return {
      ...condition,
      written: this.#totals.written,
      waiting: this.#waiting(),
      lagMs: Math.max(unsureMs, ...parts.map(({ waitingMs }) => waitingMs)),
      restarts: this.#watches.restarts,
      parts,
    };
  }
}
