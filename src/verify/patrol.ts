import { setMaxListeners } from 'node:events';
import { checkApart } from '../topo/apart.js';
import { sleep } from '../topo/sleep.js';
import { GLOBAL } from '../topo/topology.js';
import { atLeast, worstOf } from './classes.js';
import { checkKeyspaces, checkScopes, isRead, type Selection, selectionOf } from './narrowing.js';
import { decideAll, type PatrolCounts, worstFirst } from './patrol-findings.js';
import type { PatrolOptions, PatrolState, PlacedStanding } from './patrol-options.js';
import { PatrolPart } from './patrol-part.js';
import { PatrolRunner } from './patrol-runner.js';
import { type Evidence, VerdictKeeper } from './patrol-verdict.js';
import { Sides } from './sides.js';
import type { Decision } from './verdict.js';
import { checkCompared } from './verify.js';

/** Differences that a change of verdict names. */
const NAMED = 5;

/**
 * Compares two topologies again and again until the signal fires: watches tell what moved, and only that is read again, with a complete
 * pass now and then. What {@link verify} refuses is refused at the beginning; later whatever cannot be read makes the verdict
 * `unknown`, until it can, unless something differs elsewhere. Answers with the last state.
 */
export async function patrol(options: PatrolOptions): Promise<PatrolState> {
  const running = new Patrol(options);
  try {
    return await running.run();
  } finally {
    running.stop();
  }
}

class Patrol {
  readonly #options: PatrolOptions;
  readonly #sides: Sides;
  readonly #keeper = new VerdictKeeper();
  readonly #runners = new Map<string, PatrolRunner>();
  /** What runs, runners that were stopped included. */
  readonly #work = new Set<Promise<void>>();
  /** Fires at the end. */
  readonly #over = new AbortController();
  #fault: { readonly error: unknown } | undefined;
  /** Why it is not known which cells there are. */
  #failure: unknown;
  /** Why nothing can be said of what is there: there is nothing. */
  #nothing: unknown;
  #cellsMoved = false;
  #selection: Selection | undefined;
  #since: number;
  #changes = 0;
  #writes = 0;
  #restarts = 0;

  constructor(options: PatrolOptions) {
    const onWrite: PatrolOptions['onWrite'] = (write) => {
      this.#writes += 1;
      options.onWrite?.(write);
    };
    const { signal: asked } = options;
    const over = this.#over.signal;
    const signal = asked === undefined ? over : AbortSignal.any([asked, over]);
    setMaxListeners(0, signal);
    this.#options = { ...options, onWrite, signal };
    this.#sides = new Sides(options.source, options.destination, { signal, deadline: options.deadline });
    this.#since = options.clock.now();
  }

  stop(): void {
    this.#over.abort();
    for (const runner of this.#runners.values()) runner.stop();
  }

  async run(): Promise<PatrolState> {
    const { signal } = this.#options;
    const end = () => this.stop();
    signal?.addEventListener('abort', end, { once: true });
    this.#options.onStart?.(() => this.#state());
    try {
      if (signal?.aborted === true) end();
      else {
        await this.#findParts(true);
        await this.#keepCells();
      }
    } catch (error) {
      if (!this.#isStopped()) throw error;
    } finally {
      signal?.removeEventListener('abort', end);
    }
    this.stop();
    await Promise.all(this.#work);
    if (this.#fault !== undefined) throw this.#fault.error;
    return this.#state();
  }

  /** Cells come, go, and move to other stores. */
  async #keepCells(): Promise<void> {
    const { clock, intervalMs, fullEveryMs, onFailure } = this.#options;
    for (let looked = clock.now(); !this.#isStopped(); ) {
      await sleep(clock, intervalMs, this.#over.signal);
      // Nobody watches CellInfo where the global part is none of those that are asked for.
      const isTold = this.#runners.has(GLOBAL) && !this.#cellsMoved && this.#failure === undefined;
      const isDue = !isTold || clock.now() >= looked + fullEveryMs;
      if (!isDue || this.#isStopped()) continue;
      this.#cellsMoved = false;
      looked = clock.now();
      try {
        await this.#findParts(false);
        this.#failure = undefined;
      } catch (error) {
        if (this.#isStopped()) return;
        this.#failure = error;
        onFailure?.(GLOBAL, error);
      }
      this.#tell();
    }
  }

  async #findParts(isInitial: boolean): Promise<void> {
    const { source, destination, kinds } = this.#options;
    const cells = await this.#sides.names(kinds);
    checkScopes(this.#options, cells);
    checkApart(
      { global: source.address, cells: this.#sides.cells.source },
      { global: destination.address, cells: this.#sides.cells.destination },
    );
    this.#selection = selectionOf(this.#options, cells);
    const scopes = [GLOBAL, ...cells].filter((scope) => isRead(scope, this.#options));
    if (isInitial) await checkKeyspaces(this.#options, await this.#sides.stores(scopes), this.#options);
    for (const scope of this.#runners.keys()) if (!scopes.includes(scope)) this.#end(scope);
    for (const scope of scopes) await this.#begin(scope, isInitial);
  }

  async #begin(scope: string, isInitial: boolean): Promise<void> {
    const stores = { source: await this.#sides.from(scope), destination: await this.#sides.to(scope) };
    const had = this.#runners.get(scope)?.part.stores;
    if (had !== undefined && had.source === stores.source && had.destination === stores.destination) return;
    if (this.#isStopped()) return;
    this.#end(scope);
    const moved = () => {
      this.#cellsMoved = true;
    };
    const part = new PatrolPart(scope, stores, this.#sides, this.#options, moved);
    const runner = new PatrolRunner(part, isInitial, this.#options);
    this.#runners.set(scope, runner);
    const work = runner
      .run(() => this.#tell())
      .catch((error: unknown) => {
        this.#fault ??= { error };
        this.stop();
      });
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  #end(scope: string): void {
    const runner = this.#runners.get(scope);
    if (runner === undefined) return;
    this.#restarts += runner.restarts;
    runner.stop();
    this.#runners.delete(scope);
  }

  #isStopped(): boolean {
    return this.#over.signal.aborted;
  }

  #tell(): void {
    const { clock, onVerdict } = this.#options;
    const now = clock.now();
    const was = this.#keeper.current;
    if (this.#isStopped()) return;
    const news = this.#keeper.take(this.#evidence(now), now);
    if (news === undefined) return;
    if (news === 'changed') {
      this.#since = now;
      if (was !== undefined) this.#changes += 1;
    }
    const verdict = this.#keeper.current;
    if (verdict === undefined) return;
    onVerdict?.({ verdict, was, at: now, state: this.#state(), differences: this.#differences(now) });
  }

  #evidence(now: number): Evidence {
    const runners = [...this.#runners.values()];
    const unread = this.#unread();
    if (unread.size > 0) {
      const readable = runners.filter(({ part }) => part.wasKnown && !part.isFailing);
      const certain = this.#judged(readable.map(({ part }) => part.findings.counts(now)));
      // What cannot be read elsewhere changes nothing about a difference.
      const isCertain = certain.decision === 'different';
      return { ...(isCertain ? certain : { decision: 'unknown' }), oldest: undefined, unread };
    }
    if (runners.some(({ part, isInitial }) => isInitial && !part.wasKnown))
      return { decision: undefined, oldest: undefined };
    const counts = runners.map(({ part }) => part.findings.counts(now));
    this.#nothing = runners.every(({ part }) => part.wasKnown) ? this.#whyNothing(runners) : undefined;
    if (this.#nothing !== undefined) {
      if (this.#keeper.current === undefined) throw this.#nothing;
      return { decision: 'unknown', oldest: undefined };
    }
    const since = [
      ...counts.map(({ oldest }) => oldest),
      // A cell that came up and was not read yet may hold anything.
      ...runners.map(({ part, began }) => (part.wasKnown ? undefined : began)),
    ].filter((time) => time !== undefined);
    return { ...this.#judged(counts), oldest: since.length === 0 ? undefined : Math.min(...since) };
  }

  #judged(counts: readonly PatrolCounts[]): Pick<Evidence, 'worst'> & { readonly decision: Decision } {
    const { failOn } = this.#options;
    const classes = counts.flatMap((each) => [...each.classes.keys()]);
    const worst = worstOf(classes.filter((each) => each !== 'in-flight' && atLeast(each, failOn)));
    return { decision: decideAll(counts, failOn), worst };
  }

  /** Parts that cannot be read, and whether it is not known which there are. */
  #unread(): ReadonlySet<string> {
    const failing = [...this.#runners].flatMap(([scope, { part }]) => (part.isFailing ? [scope] : []));
    return new Set(this.#failure === undefined ? failing : [...failing, '']);
  }

  /** Sides that hold nothing are not equal: stores that let nothing be seen look so, too. */
  #whyNothing(runners: readonly PatrolRunner[]): unknown {
    const records = runners.reduce((sum, { part }) => {
      const { compared, classes, ignored, open } = part.state(false);
      return sum + compared + classes.size + ignored + open;
    }, 0);
    try {
      checkCompared(records);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #differences(now: number): PlacedStanding[] {
    return [...this.#runners.values()]
      .filter(({ part }) => !part.isFailing)
      .flatMap(({ part }) =>
        part.findings.differences(now, NAMED).map((each) => ({ scope: part.scope, ...each })),
      )
      .sort(worstFirst)
      .slice(0, NAMED);
  }

  #state(): PatrolState {
    const runners = [...this.#runners.values()];
    return {
      verdict: this.#keeper.current,
      since: this.#since,
      changes: this.#changes,
      writes: this.#writes,
      restarts: this.#restarts + runners.reduce((sum, { restarts }) => sum + restarts, 0),
      parts: runners.map((runner) => runner.state()),
      ...(this.#selection === undefined ? {} : { selection: this.#selection }),
      failure: this.#failure ?? this.#nothing,
    };
  }
}
