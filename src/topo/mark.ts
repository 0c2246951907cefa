import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { type FileHandle, open, readFile, rm, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isErrno } from './errno.js';

/** The process that made a mark: a file whose being there says that something is in use. */
export interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Where process numbers mean the same: containers may share a host's name and not its processes. */
  readonly processes: string;
  /** When the process started, in milliseconds since the epoch: process numbers are used again. */
  readonly started: number;
  /** The same by the system's own count, which tells of any process; empty: it does not tell. */
  readonly began: string;
}

const HERE = { host: hostname(), processes: processSpace(), began: beginOf(process.pid) };
const STARTED = Math.round(Date.now() - process.uptime() * 1000);

/** Makes a mark of this process, with `more` in it, unless there is one: then undefined. Answers with its text. */
export async function makeMark(name: string, more: object = {}): Promise<string | undefined> {
  const holder: Holder = { pid: process.pid, ...HERE, started: STARTED };
  const text = `${JSON.stringify({ ...holder, lock: randomUUID(), ...more })}\n`;
  let file: FileHandle;
  try {
    file = await open(name, 'wx', 0o600);
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return undefined;
    throw error;
  }
  try {
    await file.writeFile(text);
    return text;
  } catch (error) {
    // On a full disk it would be empty, and in everybody's way for good: nobody could tell whose it is.
    await rm(name, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** The text of a mark; undefined: there is none. */
export async function readMark(name: string): Promise<string | undefined> {
  try {
    return await readFile(name, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Who made a mark; undefined: it does not say so, or not yet. */
export function readHolder(text: string): Holder | undefined {
  const value = readFields(text);
  if (value === undefined) return undefined;
  const { pid, host, processes, started, began = '' } = value as Partial<Record<keyof Holder, unknown>>;
  if (typeof pid !== 'number' || typeof started !== 'number') return undefined;
  if (typeof host !== 'string' || typeof processes !== 'string' || typeof began !== 'string')
    return undefined;
  return { pid, host, processes, started, began };
}

/** What a mark says; undefined: it is no JSON object. */
export function readFields(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The process namespace, where the system has such a thing. */
function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** When a process began, as Linux tells it, in ticks since the machine did; empty: there is no such process, or it is not told. */
function beginOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program may hold anything; what follows it has the time as its twentieth word.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Whether it is certain that the process has ended. */
export function isGone({ pid, host, processes, started, began }: Holder): boolean {
  if (host !== HERE.host || processes !== HERE.processes) return false;
  if (pid === process.pid) return Math.abs(started - STARTED) > 5_000;
  if (began !== '' && HERE.began !== '' && beginOf(pid) !== began) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
}

/**
 * Removes the mark with this text, and never one that somebody made meanwhile: whoever removes it first makes a mark named
 * after that very one, and then looks again. False: somebody else is removing it, and has not died over it.
 */
export async function removeMark(name: string, text: string): Promise<boolean> {
  const claim = `${name}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  while ((await makeMark(claim)) === undefined) {
    const claimed = await readMark(claim);
    const claimer = claimed === undefined ? undefined : readHolder(claimed);
    if (claimed === undefined || claimer === undefined || !isGone(claimer)) return false;
    if (!(await removeMark(claim, claimed))) return false;
  }
  try {
    if ((await readMark(name)) === text) await unlink(name);
    return true;
  } finally {
    await rm(claim, { force: true });
  }
}
