/** The way ahead of a walk: a list of steps in byte order of their paths. */

import { compareBytewise } from '../topo/paths.js';
import type { Stat } from '../zookeeper/client.js';

export type Step = Portion | BelowStep | NamesStep;

/** The read of a znode, and what it gave. */
export interface ZnodeRead {
  readonly type: 'getData';
  readonly path: string;
  data: Uint8Array | null;
  /** Undefined until it is read, and when it does not exist. */
  stat: Stat | undefined;
}

/** What a walk finds below its top: a znode with its data. */
export interface Found {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** What the znodes of one directory have in common. */
export interface Directory {
  /** Of the paths of what is in it. */
  readonly prefix: string;
  /** Of what is in it, sorted. */
  readonly names: readonly string[];
  /** Name of the only child that the znode looked into last has: the next one is likely to have such a child, too. */
  onlyChild: string | undefined;
}

/** Reads of znodes of one directory; a second one for each of the child that it may have, if those before it are anything to go by. */
interface Reads {
  readonly all: readonly ZnodeRead[];
  /** Index of the name of the first one. */
  readonly first: number;
  /** Of each name: one or two. */
  readonly each: number;
  /** Whose reads they are: of more than one portion once the first was cut. */
  readonly portions: Portion[];
  isDone: boolean;
}

/** Znodes of one directory that are read, of an unbroken run of its names. */
export class Portion {
  readonly type = 'portion';
  readonly directory: Directory;
  readonly from: number;
  /** Without this one. */
  #to: number;
  readonly #reads: Reads;
  next: Step | undefined;

  private constructor(directory: Directory, from: number, to: number, reads: Reads) {
    this.directory = directory;
    this.from = from;
    this.#to = to;
    this.#reads = reads;
    reads.portions.push(this);
  }

  static of(directory: Directory, from: number, to: number): Portion {
    const { prefix, names, onlyChild } = directory;
    const all: ZnodeRead[] = [];
    for (let index = from; index < to; index++) {
      const path = prefix + names[index];
      all.push(znodeRead(path));
      if (onlyChild !== undefined) all.push(znodeRead(`${path}/${onlyChild}`));
    }
    const each = onlyChild === undefined ? 1 : 2;
    return new Portion(directory, from, to, { all, first: from, each, portions: [], isDone: false });
  }

  get path(): string {
    return this.directory.prefix + this.directory.names[this.from];
  }

  /** Names that it has. */
  get length(): number {
    return this.#to - this.from;
  }

  /** What is asked for, or was: of the portions that it was cut into, too. */
  get reads(): readonly ZnodeRead[] {
    return this.#reads.all;
  }

  /** Names whose znodes are asked for, or were: all that {@link Portion.reads} are about. */
  get asked(): number {
    return this.#reads.all.length / this.#reads.each;
  }

  get isRead(): boolean {
    return this.#reads.isDone;
  }

  /**
   * Takes note that its {@link Portion.reads} hold what they gave. Puts what is below its znodes in its place, unless that is an only child which
   * was read, too. Gives the bytes of what exists.
   */
  learn(): number {
    this.#reads.isDone = true;
    let bytes = 0;
    // Backwards, so that what is inserted, and where portions are cut, lies behind all that is still to come.
    for (const portion of [...this.#reads.portions].reverse())
      for (let index = portion.#to - 1; index >= portion.from; index--) bytes += portion.#learnOne(index);
    return bytes;
  }

  /** Adds what exists, in order. */
  giveTo(group: Found[]): void {
    const { all, first, each } = this.#reads;
    const end = (this.#to - first) * each;
    for (let at = (this.from - first) * each; at < end; at++) {
      const read = all[at];
      if (read !== undefined && isFound(read)) group.push(read);
    }
  }

  #learnOne(index: number): number {
    const { directory } = this;
    const { all, first, each } = this.#reads;
    const at = (index - first) * each;
    const stat = all[at]?.stat;
    const bytes = stat?.dataLength ?? 0;
    const child = each === 2 ? all[at + 1] : undefined;
    if (child !== undefined) {
      const isAll = stat !== undefined && child.stat !== undefined && isAllBelow(stat, child.stat);
      if (isAll && !this.#isFollowedBeforeSlash(index)) return bytes + (child.stat?.dataLength ?? 0);
      child.stat = undefined;
      if (!isAll) directory.onlyChild = undefined;
    }
    if (stat !== undefined && stat.numChildren > 0) this.#insertBelow(index);
    return bytes;
  }

  #isFollowedBeforeSlash(index: number): boolean {
    const { names } = this.directory;
    const next = names[index + 1];
    return next !== undefined && sortsBeforeSlash(next, names[index] ?? '');
  }

  /** Puts a step for what is below a znode behind the siblings that sort before its slash, and what is below them. */
  #insertBelow(index: number): void {
    const { directory } = this;
    const { names } = directory;
    const name = names[index] ?? '';
    const path = directory.prefix + name;
    let before: Step = this;
    for (;;) {
      if (before.type === 'portion' && before.directory === directory) {
        const from = before === this ? index + 1 : before.from;
        const at = endOfThoseBeforeSlash(names, name, from, before.#to);
        if (at < before.#to) {
          before.#cut(at);
          break;
        }
      }
      const next: Step | undefined = before.next;
      if (next?.type === 'names' && next.keep(directory, name)) return;
      if (next === undefined || !sortsBeforeSlash(next.path, path)) break;
      before = next;
    }
    const below = new BelowStep(path, directory);
    below.next = before.next;
    before.next = below;
  }

  /** Leaves what comes from a name on to a portion of its own. */
  #cut(at: number): void {
    const rest = new Portion(this.directory, at, this.#to, this.#reads);
    rest.next = this.next;
    this.next = rest;
    this.#to = at;
  }
}

/** All that is below a znode which has children, and the read of their names. Once these are known they come next. */
export class BelowStep {
  readonly type = 'getChildren';
  readonly path: string;
  /** Of the znode. */
  readonly #directory: Directory | undefined;
  state: 'unread' | 'reading' | 'read' = 'unread';
  next: Step | undefined;

  constructor(path: string, directory?: Directory) {
    this.path = path;
    this.#directory = directory;
  }

  /** Takes over the names that were read; undefined: the znode does not exist. */
  learn(names: readonly string[] | undefined): void {
    this.state = 'read';
    if (names === undefined) return;
    if (this.#directory !== undefined) this.#directory.onlyChild = names.length === 1 ? names[0] : undefined;
    this.next = new NamesStep(this.path, names, this.next);
  }
}

/** The names of one directory that are not read yet: they become portions as the walk comes near. */
export class NamesStep {
  readonly type = 'names';
  /** Of the directory. */
  readonly path: string;
  next: Step | undefined;
  readonly #directory: Directory;
  #index = 0;
  /** Names that have children and are followed by names which sort before these; each begins with the one before. */
  readonly #kept: string[] = [];

  constructor(path: string, children: readonly string[], next: Step | undefined) {
    this.path = path;
    this.next = next;
    const prefix = path === '' ? '' : `${path}/`;
    this.#directory = { prefix, names: sorted(children), onlyChild: undefined };
  }

  get isDone(): boolean {
    return this.#index === this.#directory.names.length && this.#kept.length === 0;
  }

  /** Makes the step before this one, of about so many reads, the first of which is always made. Undefined: it is done. */
  unfold(reads: number): Portion | BelowStep | undefined {
    const { names, prefix, onlyChild } = this.#directory;
    const last = this.#kept.at(-1);
    const from = this.#index;
    const count = Math.max(1, onlyChild === undefined ? reads : reads >> 1);
    let to = Math.min(from + count, names.length);
    if (last !== undefined) to = endOfThoseBeforeSlash(names, last, from, to);
    if (from === to) {
      this.#kept.pop();
      return last === undefined ? undefined : new BelowStep(prefix + last, this.#directory);
    }
    this.#index = to;
    return Portion.of(this.#directory, from, to);
  }

  /** Whether something of this directory that is still to come comes before what is below one of it: then that is kept for later. */
  keep(directory: Directory, name: string): boolean {
    if (directory !== this.#directory) return false;
    const isBefore = (other: string | undefined) => other !== undefined && sortsBeforeSlash(other, name);
    if (!isBefore(directory.names[this.#index]) && !isBefore(this.#kept.at(-1))) return false;
    let at = this.#kept.length;
    while (at > 0 && (this.#kept[at - 1]?.length ?? 0) > name.length) at -= 1;
    this.#kept.splice(at, 0, name);
    return true;
  }
}

/** Whether nothing more will come of a step. */
export function isPassed(step: Step): boolean {
  switch (step.type) {
    case 'portion':
      return step.isRead;
    case 'getChildren':
      return step.state === 'read';
    case 'names':
      return step.isDone;
  }
}

/**
 * Whether this child, read before or after the znode, is all that is below it. The last change of the znode's children was the
 * creation of this one: so it was among them when the znode was read, and they were one.
 */
function isAllBelow(znode: Stat, child: Stat): boolean {
  return znode.numChildren === 1 && child.numChildren === 0 && znode.pzxid === child.czxid;
}

function znodeRead(path: string): ZnodeRead {
  return { type: 'getData', path, data: null, stat: undefined };
}

function isFound(read: ZnodeRead): read is ZnodeRead & Found {
  return read.stat !== undefined;
}

/** Of names in order, from `from` up to and without `to`: the first that does not come between a name and its slash. */
function endOfThoseBeforeSlash(names: readonly string[], name: string, from: number, to: number): number {
  let at = from;
  while (at < to && sortsBeforeSlash(names[at] ?? '', name)) at += 1;
  return at;
}

/** Whether a name, or path, comes between `first` and what is below that: `a-b` between `a` and `a/…`. */
function sortsBeforeSlash(name: string, first: string): boolean {
  return name.startsWith(first) && name.charCodeAt(first.length) < SLASH;
}

/** Sorted bytewise, which for all but rare characters is JavaScript's own order, and that is faster. */
function sorted(names: readonly string[]): string[] {
  const rare = BEYOND_SURROGATES.test(names.join(''));
  return rare ? [...names].sort(compareBytewise) : [...names].sort();
}

/** Units from the surrogates on: see {@link compareBytewise}. */
const BEYOND_SURROGATES = /[\ud800-\uffff]/;
const SLASH = '/'.charCodeAt(0);
