import { randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Clock } from '../topo/clock.js';

/** Who has a journal, as its lock file says it. */
export interface Holder {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  /** Process ids count within this; empty where a system has no such thing. */
  readonly space: string;
  /** When the process began, by the system's own count: another one of the same id began at another time. Empty: not known. */
  readonly began: string;
  /** ISO 8601. */
  readonly since: string;
}

/** Whether a holder's process is there; undefined: that cannot be told from here. */
export function isAlive({ host, space, pid, began }: Holder): boolean | undefined {
  if (host !== hostname() || space !== spaceOfIds()) return undefined;
  if (began !== '') return beginOf(pid) === began;
  try {
    process.kill(pid, 0);
    return undefined;
  } catch (error) {
    return codeOf(error) === 'ESRCH' ? false : undefined;
  }
}

/** This process as a holder, by an id of its own. */
export function thisProcess(clock: Clock): Holder {
  const { pid } = process;
  return {
    id: randomUUID(),
    host: hostname(),
    pid,
    space: spaceOfIds(),
    began: beginOf(pid),
    since: new Date(clock.now()).toISOString(),
  };
}

/** Containers of one host name count processes each for itself. */
function spaceOfIds(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** When a process began, as Linux tells it; empty: there is no such process, or it is not told. */
function beginOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program may hold anything; what follows it has the time as its twentieth word.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** What a lock file says; undefined: there is none, or it is not written yet. */
export function readHolder(path: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isHolder(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isHolder(value: unknown): value is Holder {
  if (typeof value !== 'object' || value === null) return false;
  const of = (name: keyof Holder): unknown => Reflect.get(value, name);
  const texts = ['id', 'host', 'space', 'began', 'since'] as const;
  return typeof of('pid') === 'number' && texts.every((name) => typeof of(name) === 'string');
}

/** The code of an error of the system. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
