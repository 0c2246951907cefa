import { compareBytewise } from '../../topo/paths.js';
import type { MultiRead, MultiReadResult, Stat } from '../../zookeeper/client.js';

/** What a walk finds below its top: a znode with its data. */
export interface Found {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** Reads znodes by their paths, each on its own; a znode that does not exist is undefined. */
export type ReadMany = (reads: readonly MultiRead[]) => Promise<readonly (MultiReadResult | undefined)[]>;

/** How much a walk keeps and asks for at a time. */
export interface WalkLimits {
  /** Requests in flight. */
  readonly requests: number;
  /** Reads in one request. */
  readonly reads: number;
}

/** Entries of the way ahead that are looked at; a znode takes two to four. */
const WINDOW = 4_096;
/** Bytes that were read and not delivered yet, beyond which nothing more is read ahead. */
const BYTES_AHEAD = 8 << 20;
/** Bytes wanted in one answer. */
const BYTES_PER_ANSWER = 1 << 20;
/** What a znode is taken to hold before the first ones are read: a careful guess keeps the first answers small. */
const FIRST_GUESS_BYTES = 64 << 10;

interface Node {
  readonly path: string;
  state: 'unread' | 'reading' | 'read';
  found: Found | undefined;
  children: 'unread' | 'reading' | readonly string[];
}

/** One step of the way ahead: a znode itself, all that is below it, or names of a directory not looked at yet. */
type Step =
  | { kind: 'znode'; readonly node: Node; next: Step | undefined }
  | { kind: 'below'; readonly node: Node; next: Step | undefined }
  | { kind: 'names'; readonly names: Names; next: Step | undefined };

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
  readonly #wanted: { read: MultiRead; node: Node }[] = [];
  #head: Step | undefined;
  #inFlight = 0;
  #bytesAhead = 0;
  #bytesPerNode = FIRST_GUESS_BYTES;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(readMany: ReadMany, top: string, limits: WalkLimits) {
    this.#readMany = readMany;
    this.#limits = limits;
    const node: Node = { path: top, state: 'read', found: undefined, children: 'unread' };
    this.#head = { kind: 'below', node, next: undefined };
  }

  async *groups(): AsyncGenerator<readonly Found[]> {
    for (;;) {
      this.#look();
      const group = this.#take();
      if (group.length > 0) yield group;
      else if (this.#failure !== undefined) throw this.#failure.error;
      else if (this.#head === undefined) return;
      else if (this.#inFlight > 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  /** Takes from the head what is known. */
  #take(): Found[] {
    const group: Found[] = [];
    for (let step = this.#head; step !== undefined; step = this.#head) {
      if (!isPassed(step)) break;
      if (step.kind === 'znode' && step.node.found !== undefined) {
        group.push(step.node.found);
        this.#bytesAhead -= step.node.found.stat.dataLength;
        step.node.found = undefined;
      }
      this.#head = step.next;
    }
    return group;
  }

  /** Looks over the window, unfolds directories, and begins the reads that it needs. */
  #look(): void {
    if (this.#failure !== undefined) return;
    let seen = 0;
    let before: Step | undefined;
    for (let step = this.#head; step !== undefined && seen < WINDOW; step = step.next) {
      if (this.#inFlight >= this.#limits.requests) break;
      if (step.kind === 'names') {
        const first = step.names.unfold(WINDOW - seen, step);
        if (first !== step) {
          if (before === undefined) this.#head = first;
          else before.next = first;
          step = first;
        }
      }
      if (step.kind === 'znode') this.#wantZnode(step.node);
      else if (step.kind === 'below') this.#wantChildren(step);
      if (isPassed(step) && before !== undefined && step.kind !== 'znode') {
        before.next = step.next;
        continue;
      }
      seen += 1;
      before = step;
    }
    this.#send(true);
  }

  #wantZnode(node: Node): void {
    if (node.state !== 'unread') return;
    const idle = this.#inFlight === 0 && this.#wanted.length === 0;
    if (this.#bytesAhead > BYTES_AHEAD && !idle) return;
    node.state = 'reading';
    this.#want({ type: 'getData', path: node.path }, node);
  }

  #wantChildren(step: Step & { kind: 'below' }): void {
    const { node } = step;
    if (node.state !== 'read' || !hasChildren(node)) return;
    if (node.children === 'unread') {
      node.children = 'reading';
      this.#want({ type: 'getChildren', path: node.path }, node);
    } else if (node.children !== 'reading') {
      const names: Step = { kind: 'names', names: new Names(node.path, node.children), next: step.next };
      node.children = [];
      step.next = names;
    }
  }

  #want(read: MultiRead, node: Node): void {
    this.#wanted.push({ read, node });
    this.#send(false);
  }

  /** Sends full requests, and with `all` what is left. */
  #send(all: boolean): void {
    const fitting = Math.floor(BYTES_PER_ANSWER / Math.max(1, this.#bytesPerNode));
    const size = Math.min(this.#limits.reads, Math.max(1, fitting));
    while (this.#wanted.length >= (all ? 1 : size) && this.#inFlight < this.#limits.requests) {
      this.#request(this.#wanted.splice(0, size));
    }
  }

  #request(batch: readonly { read: MultiRead; node: Node }[]): void {
    this.#inFlight += 1;
    this.#readMany(batch.map(({ read }) => read)).then(
      (results) => {
        this.#inFlight -= 1;
        this.#learn(batch, results);
        this.#look();
        this.#wake();
      },
      (error: unknown) => {
        this.#inFlight -= 1;
        this.#failure ??= { error };
        this.#wake();
      },
    );
  }

  #learn(
    batch: readonly { read: MultiRead; node: Node }[],
    results: readonly (MultiReadResult | undefined)[],
  ): void {
    let bytes = 0;
    let znodes = 0;
    for (const [index, { read, node }] of batch.entries()) {
      const result = results[index];
      if (read.type === 'getData') {
        node.state = 'read';
        node.found = result?.type === 'getData' ? { path: node.path, ...result } : undefined;
        if (node.found?.stat.numChildren === 0 || node.found === undefined) node.children = [];
        bytes += node.found?.stat.dataLength ?? 0;
        znodes += 1;
      } else {
        node.children = result?.type === 'getChildren' ? result.children : [];
      }
    }
    this.#bytesAhead += bytes;
    // Up at once, down by steps: a few small znodes say little about the next ones.
    if (znodes > 0) this.#bytesPerNode = Math.max(bytes / znodes, this.#bytesPerNode / 4);
  }
}

function hasChildren(node: Node): boolean {
  return typeof node.children === 'string' || node.children.length > 0;
}

/** Whether nothing more will come of a step. */
function isPassed(step: Step): boolean {
  if (step.kind === 'names') return step.names.done;
  return step.node.state === 'read' && (step.kind === 'znode' || !hasChildren(step.node));
}

/** The children of one directory, unfolded into steps as the walk comes near. */
class Names {
  readonly #directory: string;
  readonly #names: readonly string[];
  /** Nodes whose own step was made and whose `below` was not, each name the beginning of the next. */
  readonly #open: { readonly name: string; readonly node: Node }[] = [];
  #index = 0;

  constructor(directory: string, children: readonly string[]) {
    this.#directory = directory;
    this.#names = [...children].sort(compareBytewise);
  }

  get done(): boolean {
    return this.#index === this.#names.length && this.#open.length === 0;
  }

  /** Makes about `count` steps, before the step `rest` that stands for the names left. Gives the first of them. */
  unfold(count: number, rest: Step): Step {
    const steps: Step[] = [];
    while (steps.length < count && !this.done) this.#unfoldOne(steps);
    let first = rest;
    for (const step of steps.reverse()) {
      step.next = first;
      first = step;
    }
    return first;
  }

  #unfoldOne(steps: Step[]): void {
    const name = this.#names[this.#index];
    const last = this.#open.at(-1);
    // `a-b` comes between `a` and `a/…`: what is below a node waits for the names that sort before its slash.
    if (last !== undefined && !(name?.startsWith(last.name) && name.charCodeAt(last.name.length) < SLASH)) {
      this.#open.pop();
      steps.push({ kind: 'below', node: last.node, next: undefined });
    } else if (name !== undefined) {
      const path = this.#directory === '' ? name : `${this.#directory}/${name}`;
      const node: Node = { path, state: 'unread', found: undefined, children: 'unread' };
      this.#index += 1;
      this.#open.push({ name, node });
      steps.push({ kind: 'znode', node, next: undefined });
    }
  }
}

const SLASH = '/'.charCodeAt(0);
