import type { Connection, Value } from '../topo/connection.js';
import { find } from '../topo/find.js';
import { classify } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import type { Watched } from '../topo/watches.js';
import { carry } from '../verify/carried.js';
import { ForeignWrite, foreignWrite } from './conflicts.js';
import { type PlanContext, scopeKind } from './context.js';
import { EXTRA } from './decide.js';
import { type Dirty, DirtyPaths } from './dirty.js';
import { goesLast, isWrite, type WriteEntry } from './entries.js';
import { Going } from './follow-going.js';
import type { PartState } from './follow-options.js';
import { checkFinding } from './guards.js';
import { mirror } from './mirror.js';
import type { CopyOptions } from './options.js';
import type { Pace } from './pace.js';
import type { Part } from './parts.js';
import { isPassing, worstFailure } from './passing.js';
import type { ScopePlan } from './plan.js';
import { checkNoPrimary } from './primary.js';
import { RecentStates } from './recent.js';

/** Paths mirrored at the same time. */
const WORKERS = 16;

/** What following a part needs beside the options of a copy. */
export interface PartOptions extends CopyOptions {
  readonly pace: Pace;
  /** Milliseconds for which a record of the destination may be in no state that is known, before it counts as somebody else's. */
  readonly graceMs: number;
  /** Called whenever something is to be done. */
  readonly wake: () => void;
}

/** One part that is followed: what its source tells of, and what of it is not in the destination yet. */
export class FollowedPart implements Watched {
  readonly part: Part;
  readonly dirty = new DirtyPaths();
  readonly #options: PartOptions;
  readonly #recent = new RecentStates();
  /** Paths whose record in the destination is in no state that is known, and since when. */
  readonly #strange = new Map<string, number>();
  readonly #going: Going;

  constructor(part: Part, options: PartOptions) {
    this.part = part;
    this.#options = options;
    this.#going = new Going(part.scope, options);
  }

  /**
   * Watches the source until the watch is lost (throws) or the signal fires; `synced` is called once every later change will be told
   * of.
   */
  async watch(signal: AbortSignal, synced: () => void): Promise<void> {
    const from = await this.part.from();
    const context = this.part.context(from, await this.part.to());
    const { clock, wake } = this.#options;
    let isSynced = false;
    for await (const event of from.watchRecursive('', { signal })) {
      if (event.type === 'synced') {
        if (!isSynced) synced();
        isSynced = true;
      } else if (isSynced) {
        const { path, value } = event;
        this.#recent.add(path, this.#carried(path, value, context), clock.now());
        this.dirty.add(path, value === undefined, clock.now());
        wake();
      }
    }
  }

  /** A state of the source as another follower brings it over. */
  #carried(path: string, value: Value | undefined, { scope, carrying }: PlanContext): Value | undefined {
    if (value === undefined || carrying === undefined) return value;
    const row = classify(scopeKind(scope), path, value.ephemeral);
    return { ...value, bytes: carry(row, { path, ...value }, carrying).bytes };
  }

  /** Reads what deciding on single records depends on. Fails as the stores do. */
  async prepare(): Promise<void> {
    if (this.scope !== GLOBAL) return;
    const { signal, deadline } = this.#options;
    const [from, to] = await Promise.all([this.part.from(), this.part.to()]);
    await this.part.context(from, to).carrying?.graph.read({ signal, deadline });
  }

  get scope(): string {
    return this.part.scope;
  }

  /** How far it is. `watched`: whether its source tells of changes. */
  state(now: number, watched: boolean): PartState {
    const { oldest = now } = this.dirty;
    return {
      scope: this.part.scope,
      waiting: this.dirty.size,
      waitingMs: now - oldest,
      strange: this.#strange.size,
      watched,
    };
  }

  /** Takes over what the first pass found, and wrote. */
  copied(plan: ScopePlan): void {
    this.#going.counted(plan.tally);
    const { ledger } = this.part;
    const filled = new Set(
      plan.findings.filter(({ problem }) => problem === 'blank tablet').map(({ path }) => path),
    );
    // It was in the plan's state, and will be replaced as soon as the source's tablet runs again.
    for (const { path, destination } of plan.skipped())
      if (filled.has(path) && destination !== undefined) ledger.own(path, destination);
  }

  /** Takes over what a later pass found: what differs is dirty from now on. Answers with how much that is. */
  passed(plan: ScopePlan): number {
    const now = this.#options.clock.now();
    this.#going.counted(plan.tally);
    this.#recent.sweep(now);
    let found = 0;
    for (const entry of plan.entries) {
      if (!isWrite(entry) && !this.#isStrange(entry.action === 'extra' ? entry.reason : '')) continue;
      this.dirty.add(entry.path, entry.source === undefined, now);
      found += 1;
    }
    return found;
  }

  /**
   * Makes what is dirty equal: what the source was told to have lost (`gone`), or everything else. Answers with the records written.
   * What is not equal afterwards stays dirty. Throws what failed first, rather what will not be over by itself; Guard as
   * {@link mirror} and the guards have it.
   */
  async flush(gone: boolean): Promise<number> {
    const taken = this.dirty.take(gone);
    if (taken.length === 0) return 0;
    const left = new Set(taken);
    const failures: unknown[] = [];
    let written = 0;
    try {
      const [from, to] = await Promise.all([this.part.from(), this.part.to()]);
      if (gone) await this.#going.check(taken, to);
      const work = async (waiting: Iterable<Dirty>): Promise<void> => {
        for (const each of waiting) {
          try {
            if (await this.#mirror(each.path, from, to)) written += 1;
            this.dirty.done(each);
            left.delete(each);
          } catch (error) {
            if (this.#isPatient(each.path, error)) continue;
            failures.push(error);
            if (!isPassing(error)) return;
          }
        }
      };
      for (const some of gone ? this.#inOrder(taken) : [taken]) {
        const waiting = some.values();
        await Promise.all(Array.from({ length: WORKERS }, () => work(waiting)));
        if (failures.length > 0) break;
      }
    } finally {
      for (const each of left) this.dirty.back(each);
    }
    const worst = worstFailure(failures);
    if (worst !== undefined) throw worst;
    return written;
  }

  /** What is to be deleted, in groups of which each is gone before the next. */
  #inOrder(taken: readonly Dirty[]): Dirty[][] {
    const isLast = ({ path }: Dirty) => goesLast(classify(scopeKind(this.scope), path, false).kind);
    return [taken.filter((each) => !isLast(each)), taken.filter(isLast)];
  }

  async #mirror(path: string, from: Connection, to: Connection): Promise<boolean> {
    const { ledger, scope, context } = this.part;
    const { signal, deadline, overrules = {}, clock, onWritten, afterWrite } = this.#options;
    const beforeWrite = (entry: WriteEntry) => this.#beforeWrite(entry, to);
    let sent: WriteEntry | undefined;
    const mirrored = await mirror(path, {
      signal,
      deadline,
      from,
      to,
      context: context(from, to),
      mayReplace: (existing) =>
        ledger.allows(path, existing) || this.#recent.has(path, existing, clock.now()),
      check: (finding) => checkFinding(scope, finding, overrules),
      async beforeWrite(entry) {
        await beforeWrite(entry);
        sent = entry;
      },
    });
    if (mirrored.type === 'same' && this.#isStrange(mirrored.reason)) throw foreignWrite(to.store, path);
    this.#strange.delete(path);
    if (mirrored.type !== 'written') return false;
    if (sent === undefined) return true;
    onWritten?.(scope, [sent]);
    await afterWrite?.(scope, [sent]);
    return true;
  }

  async #beforeWrite(entry: WriteEntry, to: Connection): Promise<void> {
    const { pace, signal, deadline, beforeWrite } = this.#options;
    const call = { signal, deadline };
    const { action, kind, path } = entry;
    if (action === 'delete' && kind === 'Tablet') {
      const existing = await find(to, path, call);
      if (existing !== undefined) await checkNoPrimary({ path, ...existing }, this.#options, call);
    }
    await pace.take(1, signal);
    await beforeWrite?.(this.part.scope, [entry]);
  }

  /** Whether the reason for which a record is kept says that only the destination has it, and nobody allowed that. */
  #isStrange(reason: string): boolean {
    return reason === EXTRA && this.#options.overrules?.extra !== true;
  }

  /** Whether a strange record is waited for: what another follower is about to bring over comes to equal the source. */
  #isPatient(path: string, error: unknown): boolean {
    if (!(error instanceof ForeignWrite)) return false;
    const { clock, graceMs } = this.#options;
    const since = this.#strange.get(path) ?? clock.now();
    this.#strange.set(path, since);
    return clock.now() - since < graceMs;
  }
}
