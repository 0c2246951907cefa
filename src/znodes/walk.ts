import type { MultiRead, MultiReadResult } from '../zookeeper/client.js';
import { BelowStep, type Found, isPassed, type Portion, type Step } from './steps.js';

export type { Found } from './steps.js';

/** Reads znodes by their paths, each on its own; a znode that does not exist is an error, or undefined. */
export type ReadMany = (reads: readonly MultiRead[]) => Promise<readonly (MultiReadResult | undefined)[]>;

/** How much a walk keeps and asks for at a time. */
export interface WalkLimits {
  /** Requests in flight. */
  readonly requests: number;
  /** Reads in one request. */
  readonly reads: number;
}

/** Znodes and directories of the way ahead that are looked at. */
const WINDOW = 4_096;
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
  /** Of the next request, and how many reads they take. */
  #wanted: (Portion | BelowStep)[] = [];
  #reads = 0;
  #head: Step | undefined;
  #inFlight = 0;
  #bytesAhead = 0;
  #bytesPerNode = FIRST_GUESS_BYTES;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(readMany: ReadMany, top: string, limits: WalkLimits) {
    this.#readMany = readMany;
    this.#limits = limits;
    this.#head = new BelowStep(top);
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
      if (step.type === 'portion') step.giveTo(group);
    }
    for (const { stat } of group) this.#bytesAhead -= stat.dataLength;
    return group;
  }

  /** Looks over the window, and begins the reads that it needs. */
  #look(): void {
    if (this.#failure !== undefined) return;
    const size = this.#size();
    let seen = 0;
    let before: Step | undefined;
    let step = this.#head;
    while (step !== undefined && seen < WINDOW && this.#inFlight < this.#limits.requests) {
      if (step.type === 'names') {
        const made: Portion | BelowStep | undefined = this.#isAhead
          ? undefined
          : step.unfold(size - this.#reads);
        if (made !== undefined) {
          made.next = step;
          if (before === undefined) this.#head = made;
          else before.next = made;
          step = made;
          if (made.type === 'portion') this.#want(made, made.reads.length);
        }
      }
      if (step.type === 'getChildren' && step.state === 'unread') {
        step.state = 'reading';
        this.#want(step, 1);
      }
      if (this.#reads >= size) this.#request();
      // What a portion gave is still to be taken.
      if (before !== undefined && step.type !== 'portion' && isPassed(step)) before.next = step.next;
      else before = step;
      seen += step.type === 'portion' ? step.length : 1;
      step = step.next;
    }
    if (this.#reads > 0) this.#request();
  }

  /** Whether more was read ahead than is good, and something is still to come. */
  get #isAhead(): boolean {
    return this.#bytesAhead > BYTES_AHEAD && (this.#inFlight > 0 || this.#reads > 0);
  }

  /** Puts reads into the next request. */
  #want(step: Portion | BelowStep, reads: number): void {
    this.#wanted.push(step);
    this.#reads += reads;
  }

  /** Reads in one request, so that its answer has the size wanted. */
  #size(): number {
    const fitting = Math.floor(BYTES_PER_ANSWER / Math.max(1, this.#bytesPerNode));
    return Math.min(this.#limits.reads, Math.max(1, fitting));
  }

  #request(): void {
    const steps = this.#wanted;
    this.#wanted = [];
    this.#reads = 0;
    this.#inFlight += 1;
    const reads: MultiRead[] = [];
    for (const step of steps)
      if (step.type === 'portion') for (const read of step.reads) reads.push(read);
      else reads.push(step);
    this.#readMany(reads).then(
      (results) => {
        this.#inFlight -= 1;
        this.#learn(steps, results);
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

  #learn(steps: readonly (Portion | BelowStep)[], results: readonly (MultiReadResult | undefined)[]): void {
    let at = 0;
    let bytes = 0;
    let znodes = 0;
    for (const step of steps) {
      if (step.type === 'getChildren') {
        const result = results[at++];
        step.learn(result?.type === 'getChildren' ? result.children : undefined);
        continue;
      }
      for (const read of step.reads) {
        const result = results[at++];
        if (result?.type !== 'getData') continue;
        read.data = result.data;
        read.stat = result.stat;
      }
      znodes += step.asked;
      bytes += step.learn();
    }
    this.#bytesAhead += bytes;
    // Up at once, down by steps: a few small znodes say little about the next ones.
    if (znodes > 0) this.#bytesPerNode = Math.max(bytes / znodes, this.#bytesPerNode / 4);
  }
}
