import { rm } from 'node:fs/promises';
import type { Clock } from '../../topo/clock.js';
import { isGone, makeMark, readHolder, readMark, removeMark } from '../../topo/mark.js';

/** Another process kept the lock for as long as this one could wait. The message says who and which file. */
export class Locked extends Error {}

/** Milliseconds for which a write waits for other processes that write to the same file. */
const PATIENCE_MS = 5_000;
const INTERVAL_MS = 20;

/**
 * Takes the advisory lock that processes hold while they write to `file`: a file beside it, made exclusively. A lock
 * whose process on this host is gone is taken over. Gives the function that releases it. Locked after five seconds, or
 * as soon as `wanted` says no.
 */
export async function takeLock(
  file: string,
  clock: Clock,
  wanted: () => boolean,
): Promise<() => Promise<void>> {
  const name = lockName(file);
  const end = clock.now() + PATIENCE_MS;
  for (;;) {
    if ((await makeMark(name)) !== undefined) return () => rm(name, { force: true });
    const text = await readMark(name);
    const holder = text === undefined ? undefined : readHolder(text);
    if (text !== undefined && holder !== undefined && isGone(holder) && (await removeMark(name, text)))
      continue;
    if (!wanted() || clock.now() >= end) {
      const who = holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}`;
      throw new Locked(`${who} is writing to the file: it holds ${name}`);
    }
    await new Promise<void>((resolve) => {
      clock.schedule(INTERVAL_MS, resolve);
    });
  }
}

/** Whether a process that may still be running holds the lock. */
export async function isLocked(file: string): Promise<boolean> {
  const text = await readMark(lockName(file));
  if (text === undefined) return false;
  const holder = readHolder(text);
  return holder === undefined || !isGone(holder);
}

function lockName(file: string): string {
  return `${file}.lock`;
}
