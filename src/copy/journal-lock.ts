import { closeSync, fstatSync, futimesSync, openSync, statSync, unlinkSync } from 'node:fs';
import type { Clock } from '../topo/clock.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { codeOf, type Holder, isAlive, readHolder, thisProcess } from './journal-holder.js';
import { fileSystem, writeText } from './lines.js';
import { sleep } from './pace.js';

/** Milliseconds from one sign of life to the next. */
const BEAT_MS = 1_000;
/** Milliseconds without one after which a holder that cannot be asked for counts as dead. */
const SILENT_MS = 10_000;
const LOOK_MS = 500;
/** Milliseconds after which a lock that was taken over is looked at again: two may have taken it over at once. */
const SETTLE_MS = 250;

/** What time is told by, and what ends a wait. */
interface Waiting {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does some work while this process alone has a journal: the file FILE.lock beside it says so, and shows by its time that its holder lives.
 * Of a holder that died it is taken over: at once where its process can be asked for, else when the file has not been touched for ten seconds.
 *
 * @throws TopologyError Guard when another process, or another run of this one, has the journal; Usage when the file cannot be written
 */
export async function withJournalLock<T>(
  journal: string | undefined,
  waiting: Waiting,
  work: () => Promise<T>,
): Promise<T> {
  if (journal === undefined || isNoFile(journal)) return work();
  const held = await take(`${journal}.lock`, journal, waiting);
  try {
    return await work();
  } finally {
    held.release();
  }
}

/** Whether something is there that is none: it is refused when it is opened, and nothing is made beside a device. */
function isNoFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === false;
}

async function take(path: string, journal: string, waiting: Waiting): Promise<HeldFile> {
  for (let isTakenOver = false; ; isTakenOver = true) {
    const held = HeldFile.create(path, journal, waiting.clock);
    if (held === undefined) {
      await checkDead(path, journal, waiting);
      remove(path);
      continue;
    }
    if (!isTakenOver) return held;
    try {
      await sleep(waiting.clock, SETTLE_MS, waiting.signal);
      const holder = readHolder(path);
      if (holder?.id !== held.id) throw inUse(journal, holder);
      return held;
    } catch (error) {
      held.release();
      throw error;
    }
  }
}

/** A lock file of this process. */
class HeldFile {
  readonly id: string;
  readonly #path: string;
  readonly #file: number;
  #cancel = (): void => {};

  private constructor(path: string, file: number, id: string) {
    this.#path = path;
    this.#file = file;
    this.id = id;
  }

  /** Undefined: there is one already. */
  static create(path: string, journal: string, clock: Clock): HeldFile | undefined {
    const file = fileSystem(journal, 'written', () => {
      try {
        return openSync(path, 'wx', 0o600);
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return undefined;
        throw error;
      }
    });
    if (file === undefined) return undefined;
    const holder = thisProcess(clock);
    const held = new HeldFile(path, file, holder.id);
    try {
      writeText(path, file, `${JSON.stringify(holder)}\n`);
    } catch (error) {
      held.release();
      throw error;
    }
    held.#beat(clock);
    return held;
  }

  release(): void {
    this.#cancel();
    if (isSame(this.#path, this.#file)) remove(this.#path);
    closeSync(this.#file);
  }

  #beat(clock: Clock): void {
    this.#cancel = clock.schedule(BEAT_MS, () => {
      const now = new Date(clock.now());
      try {
        futimesSync(this.#file, now, now);
      } catch {
        // A file system that is gone for a moment: the next one may be seen again.
      }
      this.#beat(clock);
    });
  }
}

/** Refuses unless the holder of a lock file is dead, or gone meanwhile (Guard). */
async function checkDead(path: string, journal: string, { clock, signal }: Waiting): Promise<void> {
  const holder = readHolder(path);
  const alive = holder === undefined ? undefined : isAlive(holder);
  if (alive === true) throw inUse(journal, holder);
  if (alive === false) return;
  const touched = touchedAt(path);
  const limit = clock.now() + SILENT_MS;
  while (clock.now() < limit) {
    await sleep(clock, LOOK_MS, signal);
    const now = touchedAt(path);
    if (now === undefined) return;
    if (now !== touched) throw inUse(journal, readHolder(path) ?? holder);
  }
}

function inUse(journal: string, holder: Holder | undefined): TopologyError {
  const who =
    holder === undefined
      ? 'another process'
      : `process ${holder.pid} on ${holder.host}, since ${holder.since}`;
  return new TopologyError(ErrorCode.Guard, `the journal ${journal} is in use by ${who}`, {
    hint: 'wait until that one ends, or stop it; of copies and followers that run at once each needs a journal of its own',
  });
}

function touchedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function isSame(path: string, file: number): boolean {
  return statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(file).ino;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Somebody else did, or it stays and is found dead.
  }
}
