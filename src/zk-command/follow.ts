import { ErrorCode, isTopologyError } from '../topo/errors.js';
import type { WatchSignal } from '../zookeeper/client.js';
import type { Znodes } from './znodes.js';

/** A znode as it was seen, with a watch on it. */
export interface Seen {
  /** Undefined: there is none. */
  readonly data: Uint8Array | null | undefined;
  /** Changes with everything that the watch is about. */
  readonly state: string;
  /** What happens to it next. Never, when nothing does. */
  readonly next: Promise<WatchSignal>;
}

/** Looks at the data of a znode, or at its list of children, and watches it. One that is absent is watched, too. */
export async function look(znodes: Znodes, path: string, about: 'data' | 'children'): Promise<Seen> {
  let watcher: (signal: WatchSignal) => void = () => {};
  const next = new Promise<WatchSignal>((resolve) => {
    watcher = resolve;
  });
  try {
    if (about === 'children') {
      const read = await znodes.read(path, (client, options) =>
        client.getChildren(path, { ...options, watcher }),
      );
      return { data: null, state: `${read.stat.czxid} ${read.stat.cversion} ${read.stat.pzxid}`, next };
    }
    const read = await znodes.read(path, (client, options) => client.getData(path, { ...options, watcher }));
    return { data: read.data, state: `${read.stat.czxid} ${read.stat.mzxid}`, next };
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.NoNode)) throw error;
  }
  const { stat } = await znodes.read(path, (client, options) => client.exists(path, { ...options, watcher }));
  // It came into being in between.
  return stat === undefined ? { data: undefined, state: 'absent', next } : look(znodes, path, about);
}

/** What happened, in the words of the old tool. */
const EVENTS: Readonly<Record<Exclude<WatchSignal, 'lost'>, string>> = {
  created: 'EventNodeCreated',
  deleted: 'EventNodeDeleted',
  dataChanged: 'EventNodeDataChanged',
  childrenChanged: 'EventNodeChildrenChanged',
};

/**
 * Waits until something happens to a znode after it was `seen`; the event, and how it was seen then. A watch that is lost with a
 * connection is set anew, and what happened meanwhile is told by what is seen.
 */
export async function nextEvent(
  znodes: Znodes,
  path: string,
  about: 'data' | 'children',
  seen: Seen,
): Promise<{ readonly event: string; readonly seen: Seen }> {
  for (let before = seen; ; ) {
    const signal = await before.next;
    const now = await look(znodes, path, about);
    if (signal !== 'lost') return { event: EVENTS[signal], seen: now };
    if (now.state !== before.state) return { event: eventBetween(before, now, about), seen: now };
    before = now;
  }
}

function eventBetween(before: Seen, now: Seen, about: 'data' | 'children'): string {
  if (now.data === undefined) return EVENTS.deleted;
  if (before.data === undefined) return EVENTS.created;
  return about === 'data' ? EVENTS.dataChanged : EVENTS.childrenChanged;
}

/** What `work` comes to, unless the signal of the command fires first: then undefined. */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
