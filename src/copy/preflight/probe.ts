import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { StoreAddress } from '../../topo/address.js';
import type { Clock } from '../../topo/clock.js';
import type { CallOptions, Connection } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { type ClockReading, readClock } from '../../topo/health.js';
import { makeLockContents } from '../../topo/lock-contents.js';
import type { NativeStore } from '../../topo/native.js';
import { joinPath } from '../../topo/paths.js';

/** Directory of the control record, which is locked, and the record. No copy looks at either. */
const DIR = 'topo2topo';
export const PROBE = `${DIR}/doctor`;

/** What came of trying to write and lock. */
export interface Probed {
  /** Why it cannot be written to. */
  readonly write?: TopologyError | undefined;
  /** Why it cannot be locked; tried only where it can be written to. */
  readonly lock?: TopologyError | undefined;
  /** Why what was written is still there. */
  readonly left?: TopologyError | undefined;
  /** Milliseconds that one write took. */
  readonly writeMs?: number | undefined;
  /** By the time that the store gave the record, where it gives one. */
  readonly clock?: ClockReading | undefined;
}

/** How often another doctor's record, or one that a killed doctor left, is taken out of the way. */
const TRIES = 3;

/**
 * Tries to write: a control record is made, changed, its directory locked, everything deleted again. Fails only by an error
 * that is none of a store.
 *
 * @param below where the topology is in the store, when that is opened above it
 * @param openNative opens the store as it is, where the time that it gives a record is to be read
 */
export async function probe(
  store: Connection,
  below: string,
  clock: Clock,
  signal: AbortSignal,
  openNative: (() => Promise<NativeStore>) | undefined,
): Promise<Probed> {
  const dir = joinPath(below, DIR);
  const path = joinPath(below, PROBE);
  const call = { signal };
  const bytes = probeBytes(clock);
  const before = clock.now();
  const writing = await caught(async () => {
    const version = await makeAfresh(store, path, bytes, call);
    const after = clock.now();
    await store.update(path, bytes, version, call);
    return { made: after, writeMs: (clock.now() - before) / 2 };
  });
  if (writing.error !== undefined) {
    const isOurs = isTopologyError(writing.error, ErrorCode.OutcomeUnknown);
    return { write: writing.error, left: isOurs ? await clear(store, path, call) : undefined };
  }
  const { made, writeMs } = writing.value;
  const { value: told } = await caught(async () => readTime(openNative, before, made));
  const { error: lock } = await caught(async () => {
    const contents = makeLockContents({ action: 'topo2topo doctor', now: clock.now() });
    const held = await store.lock(dir, contents, { signal, deadline: clock.now() + LOCK_MS });
    await held.unlock();
  });
  return { lock, left: await clear(store, path, call), writeMs, clock: told };
}

/** What is known of a file without writing: one that is not there yet would stay, and each write leaves another file. */
export async function probeFile({ server: file }: StoreAddress): Promise<Probed> {
  try {
    await access(dirname(file), constants.W_OK);
    return {};
  } catch (error) {
    const message = 'its folder is not there, or cannot be written to';
    const hint = 'make the folder, or give it the rights';
    return { write: new TopologyError(ErrorCode.Unauthorized, message, { store: file, hint, cause: error }) };
  }
}

/** Another doctor has the lock for moments only. */
const LOCK_MS = 10_000;

/** What the record of a probe says; `state`: which of its states it is. */
export function probeBytes(clock: Clock, state = 1): Uint8Array {
  const time = new Date(clock.now()).toISOString();
  return Buffer.from(JSON.stringify({ command: 'doctor', time, state }));
}

/** Makes the record of a probe; its version. */
export async function makeAfresh(store: Connection, path: string, bytes: Uint8Array, call: CallOptions) {
  for (let left = TRIES; ; left--) {
    try {
      return await store.create(path, bytes, call);
    } catch (error) {
      if (left === 0 || !isTopologyError(error, ErrorCode.NodeExists)) throw error;
      await clear(store, path, call);
    }
  }
}

/** Deletes the record of a probe; why it could not be. */
export async function clear(
  store: Connection,
  path: string,
  call: CallOptions,
): Promise<TopologyError | undefined> {
  const { error } = await caught(() => store.delete(path, null, call));
  return isTopologyError(error, ErrorCode.NoNode) ? undefined : error;
}

/** ZooKeeper gives each record the time of its leader's clock. */
async function readTime(
  openNative: (() => Promise<NativeStore>) | undefined,
  before: number,
  after: number,
): Promise<ClockReading | undefined> {
  const native = await openNative?.();
  if (native === undefined) return undefined;
  try {
    const { words } = await native.read(`${native.root}/${PROBE}`);
    const time = Date.parse(String(words['ctime']));
    return Number.isNaN(time) ? undefined : readClock(time, 1, before, after);
  } finally {
    await native.close();
  }
}

type Outcome<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: TopologyError };

async function caught<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    return { error };
  }
}
