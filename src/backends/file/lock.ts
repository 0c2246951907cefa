import { createHash, randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Clock } from '../../topo/clock.js';
import { isErrno } from './disk.js';

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
    if (await make(name)) return () => rm(name, { force: true });
    const text = await readIfThere(name);
    const holder = text === undefined ? undefined : readHolder(text);
    if (text !== undefined && holder !== undefined && isGone(holder) && (await takeOver(name, text)))
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
  const text = await readIfThere(lockName(file));
  if (text === undefined) return false;
  const holder = readHolder(text);
  return holder === undefined || !isGone(holder);
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Where process numbers mean the same: containers may share a host's name and not its processes. */
  readonly processes: string;
  /** When the process started, in milliseconds since the epoch: process numbers are used again. */
  readonly started: number;
}

const HERE = { host: hostname(), processes: processSpace() };
const STARTED = Math.round(Date.now() - process.uptime() * 1000);

function lockName(file: string): string {
  return `${file}.lock`;
}

async function make(name: string): Promise<boolean> {
  const holder: Holder = { pid: process.pid, ...HERE, started: STARTED };
  try {
    await writeFile(name, `${JSON.stringify({ ...holder, lock: randomUUID() })}\n`, {
      flag: 'wx',
      mode: 0o600,
    });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

async function readIfThere(name: string): Promise<string | undefined> {
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function readHolder(text: string): Holder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, host, processes, started } = value as Partial<Record<keyof Holder, unknown>>;
  if (typeof pid !== 'number' || typeof started !== 'number') return undefined;
  if (typeof host !== 'string' || typeof processes !== 'string') return undefined;
  return { pid, host, processes, started };
}

/** The process namespace, where the system has such a thing. */
function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function isGone({ pid, host, processes, started }: Holder): boolean {
  if (host !== HERE.host || processes !== HERE.processes) return false;
  if (pid === process.pid) return Math.abs(started - STARTED) > 5_000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}

/**
 * Removes a dead process's lock, and never one that somebody made meanwhile: whoever removes it first makes a file named
 * after that very lock, and then looks again.
 */
async function takeOver(name: string, text: string): Promise<boolean> {
  const claim = `${name}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  if (!(await make(claim))) return false;
  try {
    if ((await readIfThere(name)) === text) await unlink(name);
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}
