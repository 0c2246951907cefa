import type { CallOptions, StoredRecord, Value } from '../topo/connection.js';
import type { Pair } from '../topo/join.js';
import { classify } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import { type CompareContext, comparePair, isCompared } from './compare.js';
import { contextOf } from './context.js';
import { PatrolFindings } from './patrol-findings.js';
import { LeftVersions, type LeftWrite } from './patrol-left.js';
import type { PatrolOptions, PatrolPartState } from './patrol-options.js';
import { judgedOf, verifyScope } from './scope.js';
import { type Authority, type PartStores, readStates, type State } from './settle.js';
import type { Sides } from './sides.js';
import { checkNotEmpty } from './verify.js';

/** Paths read in one round. */
const AT_ONCE = 500;
/** What a store may take to say that it is there, in milliseconds. */
const PROBE_MS = 5_000;

/** The global stores, or those of one cell: read as a whole now and then, and in between where they moved. */
export class PatrolPart {
  readonly scope: string;
  readonly findings: PatrolFindings;
  readonly left = new LeftVersions();
  /** Stores that this part was made for: with others, it has to be made anew. */
  readonly stores: PartStores;
  readonly #options: PatrolOptions;
  readonly #sides: Sides;
  readonly #context: CompareContext;
  /** Called when records that say where cells are were read again. */
  readonly #onCells: () => void;
  /** Paths that moved since they were read. */
  readonly #dirty = new Set<string>();
  readonly #writes: LeftWrite[] = [];
  #compared = 0;
  #notCompared = 0;
  #passes = 0;
  #passed: number | undefined;
  #reread = 0;
  /** Paths found on neither side since the last complete pass. */
  #gone = 0;
  #failure: unknown;
  #hasGap = false;
  #wasKnown = false;

  constructor(scope: string, stores: PartStores, sides: Sides, options: PatrolOptions, onCells: () => void) {
    this.#onCells = onCells;
    this.scope = scope;
    this.stores = stores;
    this.#sides = sides;
    this.#options = options;
    const { settleMs: forMs, ignore = [] } = options;
    this.findings = new PatrolFindings({ forMs, limitMs: 4 * forMs }, ignore);
    this.#context = contextOf(scope, stores, sides, options);
  }

  /** The side whose writes are told of. */
  get leftSide(): Authority {
    return this.#options.authority === 'source' ? 'destination' : 'source';
  }

  /** Whether it was read once, and what had moved by then, too. */
  get wasKnown(): boolean {
    return this.#wasKnown;
  }

  /** Whether it cannot be read now. */
  get isFailing(): boolean {
    return this.#failure !== undefined;
  }

  state(watched: boolean): PatrolPartState {
    return {
      scope: this.scope,
      ...this.findings.counts(this.#options.clock.now()),
      compared: this.#compared,
      notCompared: this.#notCompared,
      passes: this.#passes,
      passed: this.#passed,
      reread: this.#reread,
      failure: this.#failure,
      watched,
    };
  }

  /** It ends: what could not be judged yet is told of. */
  end(): void {
    this.#tellWrites(true);
  }

  /** A watch may have missed something. */
  lost(): void {
    this.#hasGap = true;
  }

  /** A watch tells that a record is in this state. */
  told(side: Authority, path: string, value: Value | undefined, isChange: boolean): void {
    const isOut = value !== undefined && !isCompared({ path, ...value }, this.#context);
    if (isOut) {
      // It says where other parts are all the same, or is a tablet that leaves a keyspace which the other side's is of.
      if (isChange && this.scope === GLOBAL && path.startsWith('cells/')) this.#onCells();
      if (isChange && this.#mayBeAsked({ path, ...value })) this.#dirty.add(path);
      return;
    }
    const isLeft = side === this.leftSide;
    if (isChange || (isLeft && this.left.isNew(path, value?.version.token))) this.#dirty.add(path);
    if (isLeft) this.#seen(path, value?.version.token);
  }

  /** Whether a record that is not compared is, where the other side's is of a keyspace that is asked for. */
  #mayBeAsked(record: StoredRecord): boolean {
    const whole = { ...this.#context, keyspaces: undefined };
    return record.path.startsWith('tablets/') && isCompared(record, whole);
  }

  /** A watch of the store whose writes are told of has delivered everything. */
  delivered(): void {
    for (const path of this.left.synced()) {
      this.#dirty.add(path);
      this.#seen(path, undefined);
    }
  }

  /** One round: everything, where that is due, or what moved. Throws what cannot be read. */
  async step(): Promise<void> {
    const { clock, fullEveryMs } = this.#options;
    const isDue = this.#hasGap || this.#failure !== undefined || this.#passed === undefined;
    try {
      if (isDue || clock.now() >= (this.#passed ?? 0) + fullEveryMs) await this.#pass();
      await this.#flush();
      this.#failure = undefined;
      this.#wasKnown = true;
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      this.#tellWrites(this.#failure !== undefined);
    }
  }

  async #pass(): Promise<void> {
    const { clock, allowEmptyCells, onPass } = this.#options;
    const began = clock.now();
    this.#hasGap = false;
    this.#gone = 0;
    const read = await verifyScope(this.scope, this.#sides, {
      ...this.#options,
      settle: undefined,
      baseline: undefined,
      onPairs: (pairs) => this.#read(pairs),
    });
    if (allowEmptyCells !== true) checkNotEmpty([read]);
    this.left.filled();
    const { differences, ignored, notes, losses, counts } = read.found;
    const refused = losses.filter((each) => each.class === 'loss' && each.record !== undefined);
    this.findings.lostBeside = losses.filter(
      (each) => each.class === 'loss' && each.record === undefined,
    ).length;
    for (const each of [differences, ignored, notes, refused].flat()) this.#dirty.add(each.path);
    for (const path of this.findings.paths()) this.#dirty.add(path);
    this.#compared = [...counts.values()].reduce((sum, c) => sum + c.equal + c.noted + c.different, 0);
    this.#notCompared = read.found.notCompared.length;
    this.#passes += 1;
    this.#passed = clock.now();
    onPass?.(this.scope, this.#passed - began);
  }

  /** What a complete pass reads may be behind what watches told of: where it is news, it is read again. */
  #read(pairs: readonly Pair[]): void {
    for (const { path, a, b } of pairs) {
      const record = this.leftSide === 'source' ? a : b;
      if (record !== undefined && !isCompared(record, this.#context)) continue;
      if (!this.left.isFilled) {
        if (record !== undefined) this.left.fill(path, record.version.token);
      } else if (this.left.isNew(path, record?.version.token)) this.#dirty.add(path);
    }
  }

  async #flush(): Promise<void> {
    const paths = [...new Set([...this.#dirty, ...this.findings.open()])];
    if (paths.length === 0) return this.#probe();
    for (let at = 0; at < paths.length; at += AT_ONCE) await this.#reads(paths.slice(at, at + AT_ONCE));
  }

  async #reads(paths: readonly string[]): Promise<void> {
    const { authority, clock } = this.#options;
    for (const path of paths) this.#dirty.delete(path);
    const began = clock.now();
    let states: State[];
    try {
      states = await readStates(paths, this.stores, authority, this.#call());
      // What an address means depends on the cells.
      if (this.scope === GLOBAL && paths.some((path) => path.startsWith('cells/'))) {
        await this.#sides.findCells();
        this.#onCells();
      }
    } catch (error) {
      for (const path of paths) this.#dirty.add(path);
      throw error;
    }
    this.#reread += paths.length;
    const read = states.map(({ pair }) => ({ pair, comparison: comparePair(pair, this.#context) }));
    const comparisons = await judgedOf(read, [], this.#options);
    const round = { began, ended: clock.now() };
    for (const [index, state] of states.entries()) {
      const comparison = comparisons[index];
      if (comparison !== undefined) this.findings.take(state, comparison, round);
      const { path, a, b } = state.pair;
      if (a === undefined && b === undefined) this.#gone += 1;
      const record = this.leftSide === 'source' ? a : b;
      // A watch that told more meanwhile knows better.
      const isOut = record !== undefined && !isCompared(record, this.#context);
      if (!isOut && !this.#dirty.has(path)) this.#seen(path, record?.version.token);
    }
    // Whether anything is left to compare only a complete pass knows.
    if (this.#gone > 0 && this.#gone >= this.#compared) this.#hasGap = true;
  }

  async #probe(): Promise<void> {
    const deadline = this.#options.clock.now() + PROBE_MS;
    const { source, destination } = this.stores;
    await Promise.all([source, destination].map((store) => store?.position({ ...this.#call(), deadline })));
  }

  #seen(path: string, version: string | undefined): void {
    const write = this.left.seen(path, version, this.#options.clock.now());
    if (write === undefined) return;
    this.#writes.push(write);
    if (this.#writes.length >= AT_ONCE) this.#tellWrites(true);
  }

  /** What is not read yet can be judged in the next round, unless it is to be told of now. */
  #tellWrites(isAll: boolean): void {
    for (const write of this.#writes.splice(0)) {
      const { path } = write;
      if (!isAll && this.#dirty.has(path)) {
        this.#writes.push(write);
        continue;
      }
      const { kind } = classify(this.scope === GLOBAL ? 'global' : 'cell', path, false);
      const mirrored = this.#dirty.has(path) ? undefined : !this.findings.differs(path);
      this.#options.onWrite?.({ ...write, side: this.leftSide, scope: this.scope, kind, mirrored });
    }
  }

  #call(): CallOptions {
    return { signal: this.#options.signal, deadline: this.#options.deadline };
  }
}
