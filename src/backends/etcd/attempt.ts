import type { Node } from './answers.js';
import { freeLock, type LockPlace } from './lock-file.js';
import { readFile } from './read-many.js';
import type { EtcdStore } from './store.js';

/** One attempt to take a lock. */
export interface Attempt {
  readonly place: LockPlace;
  readonly contents: string;
  /** Of the store, before it. */
  readonly index: number;
  /** The file that it replaces; undefined: it makes one. */
  readonly found: Node | undefined;
  /** The file stays when the lock is given back. */
  readonly fixed: boolean;
}

/** Milliseconds between looks for a file that a request may yet make whose answer was lost. */
const LATE_MS = [0, 250, 1_000, 4_000];

/** Gives back what an attempt may have taken whose answer was lost, or may take yet: nothing else would take it back. */
export async function takeBack(store: EtcdStore, attempt: Attempt): Promise<void> {
  const { place, found } = attempt;
  const { native, dir } = place;
  if (found !== undefined) {
    const prevIndex = found.modifiedIndex;
    const { refused } = await store.put(native, found.value ?? '', { prevIndex }, dir, briefly(store));
    // What depends on that state of the file is refused from now on.
    if (refused === undefined) return;
  }
  for (const ms of found === undefined ? LATE_MS : [0]) {
    await store.sleep(ms, store.closed);
    const node = await readFile(store, native, dir, briefly(store));
    if (node === undefined || !isLeftBy(attempt, node)) continue;
    await giveBack(store, attempt, node);
    return;
  }
}

/** Gives back what an attempt took. */
export async function giveBack(
  store: EtcdStore,
  { place, fixed }: Attempt,
  { modifiedIndex }: Node,
): Promise<void> {
  await freeLock(store, place, { prevIndex: modifiedIndex, fixed }, briefly(store));
}

/** Whether a file is as an attempt leaves it. */
export function isLeftBy({ contents, index }: Attempt, { modifiedIndex, value }: Node): boolean {
  return modifiedIndex > index && value === contents;
}

/** The time that a call may take that names none, whatever becomes of the call that it is made for. */
export function briefly({ context }: EtcdStore): { readonly deadline: number } {
  return { deadline: context.clock.now() + context.defaultTimeoutMs };
}
