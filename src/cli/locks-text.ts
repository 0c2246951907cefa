import type { FoundEntry, FoundLock } from '../topo/found-locks.js';
import { durationText } from './durations.js';
import { type Io, table } from './io.js';
import { printable } from './lists.js';

/** What to do about orphans: one sentence. */
export const ORPHAN_HINT =
  'an orphan belongs to no session: it stays until it is deleted, and meanwhile stops what needs the lock, failovers too; topo2topo locks break gives the lock free';

const LEFT_OVER = 'an empty directory, left behind';
const FOR_EVER = 'for ever';

/** Longest text of an action in a table. */
const WIDTH = 60;

/** Locks and elections, one row for each holder and waiter. `now`: milliseconds since the epoch. */
export function locksText(io: Io, locks: readonly FoundLock[], now: number): string {
  const head = ['what', 'state', 'action', 'host', 'user', 'age', 'time left'];
  const rows = locks.flatMap((lock) => {
    const title = printable(`${lock.type} ${lock.name}`);
    if (lock.leftOver) return [[title, io.colors.red('orphan'), LEFT_OVER, '', '', '', FOR_EVER]];
    return lock.entries.map((entry, index) => {
      const { action, host, user } = saidBy(lock, entry);
      const what = index === 0 ? title : '';
      return [what, state(io, lock, entry), action, host, user, age(entry, now), timeLeft(entry)];
    });
  });
  return table(io, head, rows);
}

/** Orphans among locks: entries of no session, and what was left behind. */
export function countOrphans(locks: readonly FoundLock[]): number {
  return locks.reduce(
    (sum, { entries, leftOver }) => sum + entries.filter(({ orphan }) => orphan).length + (leftOver ? 1 : 0),
    0,
  );
}

/** One holder or waiter in a line, for messages. */
export function entryText(lock: FoundLock, entry: FoundEntry, now: number): string {
  const { action, host, user } = saidBy(lock, entry);
  const who = [user, host].filter((part) => part !== '').join('@');
  const parts = [
    action,
    who === '' ? '' : `by ${who}`,
    age(entry, now) === '' ? '' : `for ${age(entry, now)}`,
  ];
  const text = parts.filter((part) => part !== '').join(' ');
  const what = entry.orphan ? 'an orphan' : 'somebody';
  return `${entry.path}: ${text === '' ? what : entry.orphan ? `${what}, ${text}` : text}`;
}

/** Locks and elections, for programs. Ages and times left are milliseconds. */
export function locksJson(locks: readonly FoundLock[], now: number): object[] {
  return locks.map((lock) => ({
    type: lock.type,
    name: lock.name,
    dir: lock.dir,
    leftOver: lock.leftOver,
    entries: lock.entries.map((entry) => ({
      path: entry.path,
      state: plainState(lock, entry),
      holds: entry.holds,
      orphan: entry.orphan,
      owner: entry.owner,
      action: entry.said?.action,
      host: lock.type === 'election' ? entry.contents : entry.said?.host,
      user: entry.said?.user,
      status: entry.said?.status,
      ageMs: ageMs(entry, now),
      ttlLeftMs: entry.ttlLeftMs,
      contents: entry.contents,
    })),
  }));
}

function saidBy(lock: FoundLock, { said, contents }: FoundEntry) {
  if (said !== undefined) {
    const { action, host = '', user = '' } = said;
    return { action: short(action), host: short(host), user: short(user) };
  }
  // The contents of an election are its candidate.
  if (lock.type === 'election') return { action: '', host: short(contents), user: '' };
  return { action: short(contents), host: '', user: '' };
}

function short(text: string): string {
  const line = printable(text.replace(/\s+/g, ' ').trim());
  return line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`;
}

function plainState(lock: FoundLock, { holds, orphan }: FoundEntry): string {
  if (orphan) return holds ? 'orphan' : 'orphan, waits';
  if (lock.type === 'election') return holds ? 'leads' : 'candidate';
  return holds ? 'holds' : 'waits';
}

function state(io: Io, lock: FoundLock, entry: FoundEntry): string {
  const plain = plainState(lock, entry);
  return entry.orphan ? io.colors.red(plain) : plain;
}

function ageMs(entry: FoundEntry, now: number): number | undefined {
  const since = entry.said?.time ?? entry.since;
  return since === undefined ? undefined : Math.max(0, now - since);
}

function age(entry: FoundEntry, now: number): string {
  const ms = ageMs(entry, now);
  return ms === undefined ? '' : durationText(ms);
}

function timeLeft({ orphan, ttlLeftMs }: FoundEntry): string {
  if (orphan) return FOR_EVER;
  return ttlLeftMs === undefined ? '' : durationText(ttlLeftMs);
}
