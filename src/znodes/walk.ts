import type { MultiRead, MultiReadResult, Stat } from '../zookeeper/client.js';
import {
  type BelowStep,
  belowStep,
  guessChild,
  insertBelow,
  isAllBelow,
  isPassed,
  NamesStep,
  type Step,
  type ZnodeStep,
} from './steps.js';

/** What a walk finds below its top: a znode with its data. */
export interface Found {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** Reads znodes by their paths, each on its own; a znode that does not exist is an error, or undefined. */
export type ReadMany = (reads: readonly MultiRead[]) => Promise<readonly (MultiReadResult | undefined)[]>;

/** How much a walk keeps and asks for at a time. */
export interface WalkLimits {
  /** Requests in flight. */
  readonly requests: number;
  /** Reads in one request. */
  readonly reads: number;
}

/** Steps of the way ahead that are looked at. */
const WINDOW = 4_096;
/** Names that become steps at a time: what is made long before it is read grows old. */
const UNFOLDED = 256;
/** Bytes that were read and not delivered yet, beyond which nothing more is read ahead. */
const BYTES_AHEAD = 8 << 20;
/** Bytes wanted in one answer. */
const BYTES_PER_ANSWER = 1 << 20;
/** What a znode is taken to hold before the first ones are read: a careful guess keeps the first answers small. */
const FIRST_GUESS_BYTES = 64 << 10;

/**
 * Walks all znodes below `top` in byte order of their paths and yields those that exist, in groups.
 *
 * The way ahead is a list of steps in that order. Reads are begun from its head on, for all steps within the window,
 * whatever their depth, so that a directory of 100,000 directories of one record each is as fast as one of records.
 * Only what is within the window is kept, however large the tree is.
 */
export class Walk {
  readonly #readMany: ReadMany;
  readonly #limits: WalkLimits;
  #wanted: (ZnodeStep | BelowStep)[] = [];
  #head: Step | undefined;
  #inFlight = 0;
  #bytesAhead = 0;
  #bytesPerNode = FIRST_GUESS_BYTES;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(readMany: ReadMany, top: string, limits: WalkLimits) {
    this.#readMany = readMany;
    this.#limits = limits;
    this.#head = belowStep(top);
  }

  async *groups(): AsyncGenerator<readonly Found[]> {
    for (;;) {
      const group = this.#take();
      this.#look();
      if (group.length > 0) yield group;
      else if (this.#failure !== undefined) throw this.#failure.error;
      else if (this.#head === undefined) return;
      else if (this.#inFlight > 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    }
  }

  /** Takes from the head what is known. */
  #take(): Found[] {
    const group: Found[] = [];
    for (let step = this.#head; step !== undefined && isPassed(step); step = this.#head) {
      this.#head = step.next;
      // A step that got old while it waited keeps what it leads to from being collected while that is young.
      step.next = undefined;
      if (step.type !== 'getData' || step.stat === undefined) continue;
      const { path, data, stat } = step;
      step.data = null;
      step.stat = undefined;
      step.child = undefined;
      group.push({ path, data, stat });
      this.#bytesAhead -= stat.dataLength;
    }
    return group;
  }

  /** Looks over the window, unfolds directories, and begins the reads that it needs. */
  #look(): void {
    if (this.#failure !== undefined) return;
    const size = this.#size();
    let seen = 0;
    let before: Step | undefined;
    for (let step = this.#head; step !== undefined && seen < WINDOW; step = step.next) {
      if (this.#inFlight >= this.#limits.requests) break;
      if (step.type === 'names') {
        const first = step.unfold(UNFOLDED);
        if (before === undefined) this.#head = first;
        else before.next = first;
        step = first;
      }
      if (step.type !== 'getData' && isPassed(step) && before !== undefined) {
        before.next = step.next;
        continue;
      }
      if (step.type !== 'names' && step.state === 'unread' && this.#want(step) && this.#wanted.length >= size)
        this.#request();
      seen += 1;
      before = step;
    }
    if (this.#wanted.length > 0) this.#request();
  }

  /** Puts a read into the next request. False when more was read ahead than is good. */
  #want(step: ZnodeStep | BelowStep): boolean {
    const idle = this.#inFlight === 0 && this.#wanted.length === 0;
    if (step.type === 'getData' && this.#bytesAhead > BYTES_AHEAD && !idle) return false;
    step.state = 'reading';
    this.#wanted.push(step);
    const guessed = step.type === 'getData' ? guessChild(step) : undefined;
    if (guessed !== undefined && step.type === 'getData') {
      step.child = guessed;
      this.#wanted.push(guessed);
    }
    return true;
  }

  /** Reads in one request, so that its answer has the size wanted. */
  #size(): number {
    const fitting = Math.floor(BYTES_PER_ANSWER / Math.max(1, this.#bytesPerNode));
    return Math.min(this.#limits.reads, Math.max(1, fitting));
  }

  #request(): void {
    const reads = this.#wanted;
    this.#wanted = [];
    this.#inFlight += 1;
    this.#readMany(reads).then(
      (results) => {
        this.#inFlight -= 1;
        this.#learn(reads, results);
        // Who waits looks for himself.
        if (this.#wake === undefined) this.#look();
        else this.#wake();
      },
      (error: unknown) => {
        this.#inFlight -= 1;
        this.#failure ??= { error };
        this.#wake?.();
      },
    );
  }

  #learn(reads: readonly (ZnodeStep | BelowStep)[], results: readonly (MultiReadResult | undefined)[]): void {
    const before = this.#bytesAhead;
    let znodes = 0;
    for (let index = 0; index < reads.length; index++) {
      const [step, result] = [reads[index], results[index]];
      if (step === undefined) continue;
      if (step.type === 'getChildren') learnChildren(step, result);
      else {
        // Read right after it.
        if (step.child !== undefined) this.#note(step.child, results[++index]);
        this.#note(step, result);
        this.#learnBelow(step);
        znodes += 1;
      }
    }
    const bytes = this.#bytesAhead - before;
    // Up at once, down by steps: a few small znodes say little about the next ones.
    if (znodes > 0) this.#bytesPerNode = Math.max(bytes / znodes, this.#bytesPerNode / 4);
  }

  #note(step: ZnodeStep, result: MultiReadResult | undefined): void {
    step.state = 'read';
    if (result?.type !== 'getData') return;
    step.data = result.data;
    step.stat = result.stat;
    this.#bytesAhead += result.stat.dataLength;
  }

  /** Puts what is below a znode in its place: the child that was guessed, if that is all. */
  #learnBelow(step: ZnodeStep): void {
    const { stat, child, siblings } = step;
    if (
      child !== undefined &&
      (stat === undefined || child.stat === undefined || !isAllBelow(stat, child.stat))
    ) {
      this.#bytesAhead -= child.stat?.dataLength ?? 0;
      step.child = undefined;
      if (siblings !== undefined) siblings.onlyChild = undefined;
    }
    if (stat !== undefined && stat.numChildren > 0) insertBelow(step);
  }
}

function learnChildren(step: BelowStep, result: MultiReadResult | undefined): void {
  step.state = 'read';
  if (result?.type !== 'getChildren') return;
  const { children } = result;
  if (step.siblings !== undefined) step.siblings.onlyChild = children.length === 1 ? children[0] : undefined;
  step.next = new NamesStep(step.path, children, step.next);
}
