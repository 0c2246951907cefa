/** The way ahead of a walk: a list of steps in byte order of their paths. */

import { compareBytewise } from '../topo/paths.js';
import type { Stat } from '../zookeeper/client.js';

export type Step = ZnodeStep | BelowStep | NamesStep;
type State = 'unread' | 'reading' | 'read';

/** A znode itself. Like {@link BelowStep} it is the read that it needs. */
export interface ZnodeStep {
  readonly type: 'getData';
  readonly path: string;
  state: State;
  data: Uint8Array | null;
  /** Undefined until it is read, and when it does not exist. */
  stat: Stat | undefined;
  readonly siblings: Siblings | undefined;
  /** Its only child, read together with it. */
  child: ZnodeStep | undefined;
  next: Step | undefined;
}

/** What the znodes of one directory have in common. */
export interface Siblings {
  /** Name of the only child that the one looked into last has: the next one is likely to have such a child, too. */
  onlyChild: string | undefined;
}

/** All that is below a znode which has children. Once these are known their names come next. */
export interface BelowStep {
  readonly type: 'getChildren';
  readonly path: string;
  state: State;
  /** Of the znode. */
  readonly siblings: Siblings | undefined;
  next: Step | undefined;
}

function znodeStep(path: string, siblings: Siblings | undefined): ZnodeStep {
  return {
    type: 'getData',
    path,
    state: 'unread',
    data: null,
    stat: undefined,
    siblings,
    child: undefined,
    next: undefined,
  };
}

export function belowStep(path: string, siblings?: Siblings): BelowStep {
  return { type: 'getChildren', path, state: 'unread', siblings, next: undefined };
}

/** The read of the child that a znode may have, if its siblings are anything to go by. */
export function guessChild({ path, siblings }: ZnodeStep): ZnodeStep | undefined {
  return siblings?.onlyChild === undefined
    ? undefined
    : znodeStep(`${path}/${siblings.onlyChild}`, undefined);
}

/**
 * Whether this child, read before or after the znode, is all that is below it. The last change of the znode's children was the
 * creation of this one: so it was among them when the znode was read, and they were one.
 */
export function isAllBelow(znode: Stat, child: Stat): boolean {
  return znode.numChildren === 1 && znode.pzxid === child.czxid && child.numChildren === 0;
}

/** What comes in the place of all that is below a znode: its only child, where that was read already. */
function belowOf({ path, siblings, child }: ZnodeStep): Step {
  return child ?? belowStep(path, siblings);
}

/** Whether nothing more will come of a step. */
export function isPassed(step: Step): boolean {
  return step.type === 'names' ? step.done : step.state === 'read';
}

/** Puts what is below a znode in its place: behind the siblings that sort before its slash, and what is below them. */
export function insertBelow(znode: ZnodeStep): void {
  let before: Step = znode;
  for (let next = before.next; next !== undefined; next = before.next) {
    if (next.type === 'names' && next.keep(znode)) return;
    if (!sortsBeforeSlash(next.path, znode.path)) break;
    before = next;
  }
  const below = belowOf(znode);
  below.next = before.next;
  before.next = below;
}

/** Whether a name, or path, comes between `first` and what is below that: `a-b` between `a` and `a/…`. */
function sortsBeforeSlash(name: string, first: string): boolean {
  return name.startsWith(first) && name.charCodeAt(first.length) < SLASH;
}

/** The names of one directory that are not steps yet: they become some as the walk comes near. */
export class NamesStep {
  readonly type = 'names';
  /** Of the directory. */
  readonly path: string;
  next: Step | undefined;
  readonly #prefix: string;
  readonly #names: readonly string[];
  #index = 0;
  /** Znodes that have children and are followed by names which sort before these; each begins with the one before. */
  readonly #kept: ZnodeStep[] = [];
  readonly #siblings: Siblings = { onlyChild: undefined };

  constructor(path: string, children: readonly string[], next: Step | undefined) {
    this.path = path;
    this.next = next;
    this.#prefix = path === '' ? '' : `${path}/`;
    this.#names = sorted(children);
  }

  get done(): boolean {
    return this.#index === this.#names.length && this.#kept.length === 0;
  }

  /** Makes about `count` steps and puts them before this one. Gives the first of them. */
  unfold(count: number): Step {
    let first: Step | undefined;
    let last: Step | undefined;
    for (let made = 0; made < count && !this.done; made++) {
      const step = this.#unfoldOne();
      if (last === undefined) first = step;
      else last.next = step;
      last = step;
    }
    if (last !== undefined) last.next = this;
    return first ?? this;
  }

  /** Whether names of this directory come before what is below `znode`: then that is kept until they are steps. */
  keep(znode: ZnodeStep): boolean {
    const path = this.#nextPath();
    if (path === undefined || !sortsBeforeSlash(path, znode.path)) return false;
    if (znode.path.lastIndexOf('/') !== this.#prefix.length - 1) return false;
    let at = this.#kept.length;
    while (at > 0 && (this.#kept[at - 1]?.path.length ?? 0) > znode.path.length) at -= 1;
    this.#kept.splice(at, 0, znode);
    return true;
  }

  #nextPath(): string | undefined {
    const name = this.#names[this.#index];
    return name === undefined ? undefined : this.#prefix + name;
  }

  #unfoldOne(): Step {
    const path = this.#nextPath();
    const last = this.#kept.at(-1);
    if (last !== undefined && (path === undefined || !sortsBeforeSlash(path, last.path))) {
      this.#kept.pop();
      return belowOf(last);
    }
    this.#index += 1;
    return znodeStep(path ?? '', this.#siblings);
  }
}

/** Sorted bytewise, which for all but rare characters is JavaScript's own order, and that is faster. */
function sorted(names: readonly string[]): string[] {
  const rare = BEYOND_SURROGATES.test(names.join(''));
  return rare ? [...names].sort(compareBytewise) : [...names].sort();
}

/** Units from the surrogates on: see {@link compareBytewise}. */
const BEYOND_SURROGATES = /[\ud800-\uffff]/;
const SLASH = '/'.charCodeAt(0);
