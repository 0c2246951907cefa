import { readFileSync, statSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import type { Clock } from '../topo/clock.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { isGone, makeMark, readFields, readHolder, readMark, removeMark } from '../topo/mark.js';
import { behindLinks, isNoFile, notUsable, whileKept } from './lines.js';
import { sleep } from './pace.js';

/** Milliseconds from one sign of life to the next. */
const BEAT_MS = 1_000;
/** Milliseconds without one after which a holder that cannot be asked for counts as dead. */
const SILENT_MS = 10_000;
const LOOK_MS = 500;

/** What time is told by, and what ends a wait. */
interface Waiting {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** The lock of a journal, while its work is done. */
export interface JournalLock {
  /**
   * Makes sure that it is held still: a process that was stopped for long may have lost it to another one.
   *
   * @throws TopologyError LockLost when it is not; Guard when that cannot be told
   */
  check(): void;
}

/** Of a journal that is only read, or none. */
export const UNLOCKED: JournalLock = { check() {} };

/**
 * Does some work while this process alone has a journal: the file FILE.lock beside it says so, and shows by its time that its holder lives.
 * Of a holder that died it is taken over: at once where its process can be asked for, else when the file has not been touched for ten seconds.
 *
 * @throws TopologyError Guard when another process, or another run of this one, has the journal; Usage when the file cannot be written
 */
export async function withJournalLock<T>(
  journal: string | undefined,
  waiting: Waiting,
  work: (lock: JournalLock) => Promise<T>,
): Promise<T> {
  // It is refused when it is opened, and nothing is made beside a device.
  if (journal === undefined || isNoFile(journal)) return work(UNLOCKED);
  const mark = `${behindLinks(journal)}.lock`;
  const text = await take(mark, journal, waiting);
  const stop = beat(mark, text, waiting.clock);
  try {
    return await work({ check: () => checkHeld(mark, text, journal) });
  } finally {
    stop();
    // One that stays is found dead by whoever wants it next.
    await removeMark(mark, text).catch(() => {});
  }
}

function checkHeld(mark: string, text: string, journal: string): void {
  const found = whileKept(mark, 'read', () => {
    if (statSync(mark, { throwIfNoEntry: false }) === undefined) return undefined;
    return readFileSync(mark, 'utf8');
  });
  if (found === text) return;
  const by =
    found === undefined ? 'another process, which has ended, or somebody removed its lock' : whoIn(found);
  throw new TopologyError(ErrorCode.LockLost, `the journal ${journal} was taken over by ${by}`, {
    hint: 'this process showed no sign of life for too long, and stops: nothing of it is noted or written any more. See how the other one ends; if it did not, run it again with --resume',
  });
}

/** Makes the mark. Gives its text. */
async function take(mark: string, journal: string, waiting: Waiting): Promise<string> {
  for (;;) {
    const since = new Date(waiting.clock.now()).toISOString();
    const made = await makeMark(mark, { since }).catch((error: unknown) => {
      throw notUsable(journal, 'written', error);
    });
    if (made !== undefined) return made;
    const found = await readMark(mark);
    if (found === undefined) continue;
    const holder = readHolder(found);
    const isOver = (holder !== undefined && isGone(holder)) || (await isSilent(mark, waiting));
    if (!isOver || !(await removeMark(mark, found))) throw inUse(journal, (await readMark(mark)) ?? found);
  }
}

/** Whether nobody shows that he lives, and has the mark. Takes as long as that takes to tell. */
async function isSilent(mark: string, { clock, signal }: Waiting): Promise<boolean> {
  const touched = touchedAt(mark);
  for (const limit = clock.now() + SILENT_MS; clock.now() < limit; ) {
    await sleep(clock, LOOK_MS, signal);
    const now = touchedAt(mark);
    if (now !== touched) return now === undefined;
  }
  return true;
}

function touchedAt(mark: string): number | undefined {
  return statSync(mark, { throwIfNoEntry: false })?.mtimeMs;
}

/** Shows from now on that the holder lives. Gives what ends it. */
function beat(mark: string, text: string, clock: Clock): () => void {
  let cancel = (): void => {};
  let isOver = false;
  const next = () => {
    cancel = clock.schedule(BEAT_MS, () => {
      touch(mark, text, clock).finally(() => {
        if (!isOver) next();
      });
    });
  };
  next();
  return () => {
    isOver = true;
    cancel();
  };
}

async function touch(mark: string, text: string, clock: Clock): Promise<void> {
  const now = new Date(clock.now());
  try {
    if ((await readMark(mark)) === text) await utimes(mark, now, now);
  } catch {
    // A file system that is gone for a moment: the next one may be seen again.
  }
}

function inUse(journal: string, text: string): TopologyError {
  return new TopologyError(ErrorCode.Guard, `the journal ${journal} is in use by ${whoIn(text)}`, {
    hint: 'wait until that one ends, or stop it; of copies and followers that run at once each needs a journal of its own',
  });
}

function whoIn(text: string): string {
  const holder = readHolder(text);
  const fields = readFields(text) ?? {};
  const since = 'since' in fields ? `, since ${String(fields.since)}` : '';
  return holder === undefined ? 'another process' : `process ${holder.pid} on ${holder.host}${since}`;
}
