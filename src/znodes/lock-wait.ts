import type { CallLimits } from '../topo/call-options.js';
import { type CancelSignal, firstOf } from '../topo/cancellation.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../topo/errors.js';
import type { LockRequest } from '../topo/locks.js';
import { compareBytewise } from '../topo/paths.js';
import type { Entry } from './lock-entry.js';
import { Signal } from './signal.js';
import type { Store } from './store.js';

/** One call for a lock, from its beginning to its end. */
export interface Wanted {
  readonly store: Store;
  readonly request: LockRequest;
  /** Limits of each request that may be cut short. */
  readonly limits: CallLimits & { readonly signal: CancelSignal };
  /** The latest failure to reach the servers, unless they have answered since. */
  failure: TopologyError | undefined;
}

/**
 * Waits until an entry is first, or has been put out of the queue. `behind`: somebody else is first, and there is to be
 * no waiting. The order is that of the names, whatever they are, as Vitess has it.
 */
export async function waitForTurn(wanted: Wanted, entry: Entry): Promise<'first' | 'behind' | 'out'> {
  const { store, request, limits } = wanted;
  if (entry.first && !entry.gone.aborted) return 'first';
  const stop = firstOf(limits.signal, entry.gone);
  for (;;) {
    if (entry.gone.aborted) return 'out';
    try {
      const ahead = await entryAhead(wanted, entry, stop);
      wanted.failure = undefined;
      if (entry.gone.aborted || ahead === undefined) return 'out';
      if (ahead === entry.name) return 'first';
      if (!request.wait) return 'behind';
      await changed(wanted, entry, ahead, stop);
    } catch (error) {
      if (entry.gone.aborted) return 'out';
      if (!request.wait || !isTopologyError(error, ErrorCode.Unavailable, ErrorCode.Timeout)) throw error;
      if (isTopologyError(error, ErrorCode.Unavailable)) wanted.failure = error;
      await store.pauseBeforeRetry(stop);
    }
  }
}

/** Name of the entry just before this one; its own when it is the first; undefined when it is not in the queue. */
async function entryAhead(
  { store, limits }: Wanted,
  entry: Entry,
  stop: CancelSignal,
): Promise<string | undefined> {
  const { dir, path } = entry.queue;
  const { children } = await store.attempt({ kind: 'read', path: dir }, () =>
    entry.session.client.getChildren(store.znode(path), { ...store.request(limits, dir), signal: stop }),
  );
  const at = children.sort(compareBytewise).indexOf(entry.name);
  return at === 0 ? entry.name : children[at - 1];
}

/** Waits until the entry `ahead` goes, or the connection is lost and all must be looked at again. */
async function changed(
  { store, limits }: Wanted,
  entry: Entry,
  ahead: string,
  stop: CancelSignal,
): Promise<void> {
  const { dir, path } = entry.queue;
  const change = new Signal();
  const { stat } = await store.attempt({ kind: 'read', path: dir }, () =>
    entry.session.client.exists(`${store.znode(path)}/${ahead}`, {
      ...store.request(limits, dir),
      signal: stop,
      watcher: change.fire,
    }),
  );
  if (stat !== undefined) await change.fired(stop);
}
