import { createHash, randomBytes } from 'node:crypto';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type StoreAddress, storeName } from '../../topo/address.js';
import { errnoText, isErrno } from '../../topo/errno.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { makeFolders } from '../../topo/folders.js';

/** Backups of one source in one folder, and what they are called. */
export interface BackupFolder {
  readonly folder: string;
  /** What their names begin with. It tells sources apart, so that nobody removes another cluster's backups. */
  readonly stem: string;
}

/** A backup in a folder. */
export interface BackupFile {
  readonly file: string;
  /** When it was begun, in milliseconds since the epoch. */
  readonly time: number;
}

/** Which old backups stay: each that one of the two keeps. Without either all do. */
export interface Retention {
  /** The newest so many. */
  readonly keep?: number | undefined;
  /** Those that are younger, in milliseconds. */
  readonly keepForMs?: number | undefined;
}

const ENDING = '.topo';
const PARTIAL = '.partial';
/** Beside a file that is written: the file itself, its next form, and the mark of whoever writes it. */
const WITH_IT = ['', '.tmp', '.lock'];
/** Milliseconds after which a partial file that nobody writes to was left by a backup that was killed. */
const LEFT_AFTER_MS = 3_600_000;

/** The backups of a source in a folder. */
export function backupFolder(folder: string, source: StoreAddress): BackupFolder {
  const id = createHash('sha256').update(storeName(source)).digest('hex').slice(0, 8);
  return { folder, stem: `topology-${id}-` };
}

/** The file of a backup that is begun now. */
export function backupFile({ folder, stem }: BackupFolder, now: number): string {
  const time = new Date(now).toISOString().replaceAll(':', '-');
  return join(folder, `${stem}${time}${ENDING}`);
}

/** The backups in a folder, newest first. Unavailable when it cannot be read. */
export async function backupsIn({ folder, stem }: BackupFolder): Promise<BackupFile[]> {
  const names = await inFolder(folder, () => readdir(folder));
  return names
    .flatMap((name) => {
      const [, day, hours, minutes, seconds] =
        /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})Z\.topo$/.exec(
          name.startsWith(stem) ? name.slice(stem.length) : '',
        ) ?? [];
      const time = Date.parse(`${day}T${hours}:${minutes}:${seconds}Z`);
      return Number.isNaN(time) ? [] : [{ file: join(folder, name), time }];
    })
    .sort((a, b) => b.time - a.time);
}

/** The backups that are not kept any more, of all there are, newest first. The newest is always kept. Pure. */
export function expired(
  backups: readonly BackupFile[],
  { keep, keepForMs }: Retention,
  now: number,
): BackupFile[] {
  if (keep === undefined && keepForMs === undefined) return [];
  return backups.filter(({ time }, index) => {
    const isKept = index < (keep ?? 1) || (keepForMs !== undefined && now - time <= keepForMs);
    return !isKept;
  });
}

/** A name beside `file` for what is not complete yet. */
export function partialName(file: string): string {
  return `${file}.${randomBytes(4).toString('hex')}${PARTIAL}`;
}

/** Makes the folder of backups, readable by its owner alone, unless it is there. */
export async function makeFolder(folder: string): Promise<void> {
  await inFolder(folder, () => makeFolders(folder));
}

/**
 * Gives a complete file its name; on return that is on the disk. NodeExists when there is a file of that name, which is never written
 * over.
 */
export async function publish(partial: string, file: string): Promise<void> {
  await inFolder(dirname(file), async () => {
    try {
      await link(partial, file);
      await rm(partial);
    } catch (error) {
      if (!isErrno(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK')) throw error;
      // Some file systems have no second names.
      if (await isThere(file)) throw exists(file);
      await rename(partial, file);
    }
    await syncFolder(dirname(file));
  });
}

/** Removes what a backup that failed has written. */
export async function discard(partial: string): Promise<void> {
  await Promise.all(WITH_IT.map((ending) => rm(`${partial}${ending}`, { force: true })));
}

/** Removes a backup that is not kept any more. Unavailable when it cannot be removed. */
export async function removeBackup({ file }: BackupFile): Promise<void> {
  await inFolder(dirname(file), () => rm(file, { force: true }));
}

/** Removes what backups of the same name (a file, or the beginning of one) that were killed have left; answers with the names. */
export async function removeLeft(name: string, now: number): Promise<string[]> {
  const folder = dirname(name);
  const isLeft = (found: string) =>
    found.startsWith(basename(name)) && /\.[0-9a-f]{8}\.partial(\.tmp|\.lock)?$/.test(found);
  const removed: string[] = [];
  for (const found of (await inFolder(folder, () => readdir(folder))).filter(isLeft)) {
    const file = join(folder, found);
    const age = await stat(file).then(
      ({ mtimeMs }) => now - mtimeMs,
      () => 0,
    );
    if (age < LEFT_AFTER_MS) continue;
    await inFolder(folder, () => rm(file, { force: true }));
    removed.push(file);
  }
  return removed;
}

/** Refuses a name that is taken (NodeExists) before anything is done for it. */
export async function checkFree(file: string): Promise<void> {
  if (await isThere(file)) throw exists(file);
}

function exists(file: string, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.NodeExists, `the file ${file} exists already, and is left as it is`, {
    hint: 'give another name, or a folder (with / at its end), in which every backup has a name of its own',
    cause,
  });
}

async function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    (error: unknown) => {
      if (isErrno(error, 'ENOENT')) return false;
      throw unusable(dirname(file), error);
    },
  );
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!isErrno(error, 'EINVAL', 'EPERM', 'ENOTSUP')) throw error;
  } finally {
    await handle.close();
  }
}

async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TopologyError) throw error;
    if (isErrno(error, 'EEXIST') && 'dest' in error) throw exists(String(error.dest), error);
    throw unusable(folder, error);
  }
}

function unusable(folder: string, error: unknown): TopologyError {
  return new TopologyError(
    ErrorCode.Unavailable,
    `the folder ${folder} cannot be used: ${errnoText(error)}`,
    {
      hint: 'check its name, its rights, and the room on the disk, or name a place elsewhere',
      retryable: false,
      cause: error,
    },
  );
}
