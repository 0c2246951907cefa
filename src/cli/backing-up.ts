import { statSync } from 'node:fs';
import { basename } from 'node:path';
import {
  type BackupFolder,
  backupFile,
  backupFolder,
  backupsIn,
  checkFree,
  discard,
  expired,
  makeFolder,
  partialName,
  publish,
  type Retention,
  removeBackup,
  removeLeft,
} from '../copy/backup/files.js';
import { type MadeBackup, makeBackup } from '../copy/backup/make.js';
import { type BackupRecord, checkBackup } from '../copy/backup/record.js';
import { Tally } from '../copy/tally.js';
import type { StoreAddress } from '../topo/address.js';
import { type Clock, systemClock } from '../topo/clock.js';
import { isTopologyError, TopologyError } from '../topo/errors.js';
import type { Topology } from '../topo/topology.js';
import { addressFlags, formatGiven, givenAddress, whereIs } from './addresses.js';
import { copyOptions } from './copy-flags.js';
import { errorText } from './failure.js';
import { type Flags, text, usage } from './flags.js';
import type { Io } from './io.js';
import { copyProgress } from './progress.js';
import { addressNames, type Side } from './side-flags.js';
import { checkCellFlags, openSide, type Pair, readSideFlags, withPair } from './topologies.js';
import { version } from './version.js';

/** Where backups go: one file of this name, or a folder of one file each. */
export type BackupPlace = { readonly file: string } | { readonly folder: string };

/** A backup that is complete, compared, and has its name. */
export interface DoneBackup extends MadeBackup {
  readonly file: string;
  readonly ms: number;
  /** Old backups that were removed for it. */
  readonly removed: readonly string[];
  /** What backups that were killed had left, and was removed. */
  readonly left: readonly string[];
  /** Why an old one that is not kept is still there. */
  readonly failure?: unknown;
}

/** Where the flags say that backups go. Usage unless it is a file, or a folder. */
export function backupPlace(flags: Flags): BackupPlace {
  const { server } = fileOf(flags, 'to', 'a backup is a file, or a folder of files');
  return server.endsWith('/') || isFolder(server) ? { folder: server } : { file: server };
}

/** The address of a side that has to be a topology file. Usage. */
export function fileOf(flags: Flags, side: 'from' | 'to', why: string): StoreAddress {
  const address = givenAddress(flags, side, text(flags, side === 'from' ? 'source' : 'destination'));
  if (!('file' in address) && address.implementation === 'file' && address.root === '/global') return address;
  throw usage(
    `${why}, and ${formatGiven(address)} is none`,
    'write for example file:./backup.topo, or file:./backups/ for a folder',
  );
}

function isFolder(name: string): boolean {
  try {
    return statSync(name).isDirectory();
  } catch {
    // Whoever wants to write there says what is wrong with the name.
    return false;
  }
}

/** Flags with another address for a side. */
function readdressed(flags: Flags, side: Side, address: StoreAddress): Flags {
  const names = new Set(addressNames(side));
  const rest = Object.fromEntries(Object.entries(flags).filter(([name]) => !names.has(name)));
  return { ...rest, ...addressFlags(address, side) };
}

/** Opens a topology file for the time of `work`. */
export async function withTopologyFile<T>(
  file: string,
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  work: (topology: Topology) => Promise<T>,
): Promise<T> {
  const common = { timeout: flags['timeout'] };
  const address: StoreAddress = { implementation: 'file', server: file, root: '/global' };
  const topology = await openSide(
    readSideFlags({ ...common, ...addressFlags(address, '') }, io, signal, '', 'read'),
  );
  try {
    return await work(topology);
  } finally {
    await topology.close();
  }
}

/**
 * Makes one backup. It has its name only when it is complete, equal to the source, and read again from the disk; only then are old
 * ones removed. Fails with nothing changed.
 */
export async function backUp(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  place: BackupPlace,
  { retention, clock }: { readonly retention: Retention; readonly clock: Clock },
): Promise<DoneBackup> {
  const started = clock.now();
  const { address: source } = whereIs(givenAddress(flags, 'from', text(flags, 'source')), io.env);
  const folder = 'folder' in place ? backupFolder(place.folder, source) : undefined;
  if (folder !== undefined) await makeFolder(folder.folder);
  const file = 'file' in place ? place.file : backupFile(backupFolder(place.folder, source), started);
  await checkFree(file);
  const left = await removeLeft(folder === undefined ? file : `${folder.folder}/${folder.stem}`, started);
  const before = folder === undefined ? undefined : await lastBackup(folder, flags, io, signal);
  const partial = partialName(file);
  try {
    const made = await makeInto(partial, flags, io, signal, before);
    await withTopologyFile(partial, flags, io, signal, (topology) => checkBackup(topology, { signal }));
    await publish(partial, file);
    const thinned = await thinOut(folder, retention, started);
    return { ...made, file, ms: clock.now() - started, ...thinned, left };
  } catch (error) {
    await discard(partial);
    throw named(error, partial, file);
  }
}

/** Removes what is not kept any more. A file that cannot be removed makes no backup undone. */
async function thinOut(
  folder: BackupFolder | undefined,
  retention: Retention,
  now: number,
): Promise<Pick<DoneBackup, 'removed' | 'failure'>> {
  const removed: string[] = [];
  try {
    for (const old of folder === undefined ? [] : expired(await backupsIn(folder), retention, now)) {
      await removeBackup(old);
      removed.push(old.file);
    }
    return { removed };
  } catch (failure) {
    return { removed, failure };
  }
}

async function makeInto(
  partial: string,
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  before: BackupRecord | undefined,
): Promise<MadeBackup> {
  const to: StoreAddress = { implementation: 'file', server: partial, root: '/global' };
  const progress = copyProgress(io, { clock: systemClock, asJson: flags['output'] === 'json' });
  const work = async (pair: Pair): Promise<MadeBackup> => {
    await checkCellFlags(flags, pair, signal);
    try {
      return await makeBackup({
        ...copyOptions(flags, pair, signal, undefined),
        lastRun: before && new Map(before.scopes.map(({ scope, held }) => [scope, Tally.from(held)])),
        tool: version(),
        onProgress: progress.update,
      });
    } finally {
      progress.pause();
    }
  };
  return withPair(readdressed(flags, 'to', to), io, signal, 'write', work, progress.retried);
}

/** What the newest backup that can be read says; one that cannot is named. */
async function lastBackup(
  folder: BackupFolder,
  flags: Flags,
  io: Io,
  signal: AbortSignal,
): Promise<BackupRecord | undefined> {
  for (const { file } of await backupsIn(folder)) {
    try {
      return await withTopologyFile(file, flags, io, signal, (topology) => checkBackup(topology, { signal }));
    } catch (error) {
      if (signal.aborted) throw error;
      io.err(
        `${io.errColors.yellow('an old backup is of no use any more')}: ${file}\n${errorText(io, error)}`,
      );
    }
  }
  return undefined;
}

/** An error about the file that was being made, by the name that it was to have. */
function named(error: unknown, partial: string, file: string): unknown {
  // The store has the whole path of what is given by a relative one.
  const [was, is] = [basename(partial), basename(file)];
  if (!isTopologyError(error) || !error.message.includes(was)) return error;
  const { code, path, store, hint, retryable } = error;
  return new TopologyError(code, error.sentence.replaceAll(was, is), {
    path,
    store: store?.replaceAll(was, is),
    hint,
    retryable,
    cause: error,
  });
}
