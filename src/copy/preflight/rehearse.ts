import pLimit from 'p-limit';
import type { Clock } from '../../topo/clock.js';
import type { Connection, WriteOp } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../../topo/errors.js';
import type { NativeStore } from '../../topo/native.js';
import { operationOf } from '../batches.js';
import type { WriteEntry } from '../entries.js';
import { clear, makeAfresh, PROBE, probeBytes } from './probe.js';

/** Records that are tried in one store. */
const MOST = 256;

/** A record of a plan that may not be written. */
export interface Refusal {
  readonly path: string;
  readonly error: TopologyError;
}

/** How to try. */
export interface Rehearsal {
  readonly clock: Clock;
  readonly concurrency: number;
  readonly signal: AbortSignal;
}

/**
 * Asks a store that answers that ({@link NativeStore.refusal}) whether the records that are there may be changed and deleted as a plan does it: of
 * each kind and keyspace one. What fails otherwise than for a lack of rights is left to others to tell.
 */
export async function askRights(
  native: NativeStore,
  entries: Iterable<WriteEntry>,
  { concurrency, signal }: Omit<Rehearsal, 'clock'>,
): Promise<Refusal[]> {
  const { refusal, root } = native;
  if (refusal === undefined) return [];
  const limit = pLimit(concurrency);
  const asked = samplesOf(entries, ({ destination }) => destination !== undefined).map(({ path, action }) =>
    limit(async (): Promise<Refusal[]> => {
      // A record that goes is emptied first.
      for (const change of action === 'delete' ? (['update', 'delete'] as const) : (['update'] as const)) {
        const error = await refusal
          .call(native, `${root}/${path}`, change, { signal })
          .catch((failure: unknown) => {
            if (!isTopologyError(failure) || signal.aborted) throw failure;
            return undefined;
          });
        if (error !== undefined) return [{ path, error }];
      }
      return [];
    }),
  );
  return (await Promise.all(asked)).flat();
}

/**
 * Tries whether what a plan writes may be written: rights may end below the root. Of each kind and keyspace one record goes into a transaction
 * that cannot be carried out, since it depends on a state of the record {@link PROBE} that is over: a store looks at rights all the same. What fails
 * otherwise than for a lack of rights is left to others to tell.
 */
export async function rehearse(
  store: Connection,
  entries: Iterable<WriteEntry>,
  { clock, concurrency, signal }: Rehearsal,
): Promise<Refusal[]> {
  // Deletions come after all else in a transaction: they would not be looked at.
  const samples = samplesOf(entries, ({ action }) => action !== 'delete');
  if (samples.length === 0 || store.capabilities.batch.maxOps < 2) return [];
  const call = { signal };
  const [before, after] = [probeBytes(clock, 1), probeBytes(clock, 2)];
  try {
    const over = await makeAfresh(store, PROBE, before, call);
    try {
      // Consul leaves a record that is written as it is in its state, and that is not over then.
      const now = await store.update(PROBE, after, over, call);
      if (now.equals(over)) return [];
      const never: WriteOp = { type: 'update', path: PROBE, bytes: after, version: over };
      const limit = pLimit(concurrency);
      const tried = samples.map((entry) => limit(() => tryOne(store, entry, never, signal)));
      return (await Promise.all(tried)).flat();
    } finally {
      await clear(store, PROBE, call);
    }
  } catch (error) {
    if (!isTopologyError(error) || signal.aborted) throw error;
    return [];
  }
}

/** `never`: an operation that is refused. */
async function tryOne(
  store: Connection,
  entry: WriteEntry,
  never: WriteOp,
  signal: AbortSignal,
): Promise<Refusal[]> {
  const operation = operationOf(entry, store.store);
  const { path } = entry;
  // ZooKeeper looks at states before rights; there a check that nothing is at a path makes the record and deletes it in one.
  const absence: WriteOp = { type: 'check', path, version: null };
  for (const ops of [[operation, never], ...(operation.type === 'create' ? [[absence]] : [])]) {
    try {
      await store.write(ops, { signal });
    } catch (error) {
      if (isTopologyError(error, ErrorCode.Unauthorized)) return [{ path, error }];
      if (!isTopologyError(error) || signal.aborted) throw error;
      continue;
    }
    if (ops.includes(never)) throw new Error('what depends on a state that is over was written');
  }
  return [];
}

/** One of each kind in each keyspace, and of tablets one. */
function samplesOf(entries: Iterable<WriteEntry>, which: (entry: WriteEntry) => boolean): WriteEntry[] {
  const samples = new Map<string, WriteEntry>();
  for (const entry of entries) {
    if (!which(entry)) continue;
    const [first, keyspace = ''] = entry.path.split('/');
    const group = `${entry.kind} ${first === 'keyspaces' ? keyspace : ''} ${entry.destination === undefined} ${entry.action === 'delete'}`;
    if (!samples.has(group)) samples.set(group, entry);
    if (samples.size >= MOST) break;
  }
  return [...samples.values()];
}
