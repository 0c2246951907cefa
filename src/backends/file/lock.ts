import { createHash } from 'node:crypto';
import { raceCall, timeLeft } from '../../topo/calls.js';
import type { CallOptions } from '../../topo/connection.js';
import { alreadyLocked, HeldLock, nothingToLock } from '../../topo/held-lock.js';
import type { Lock, LockEntry, LockRequest } from '../../topo/locks.js';
import { joinPath, parentPath } from '../../topo/paths.js';
import { Version } from '../../topo/version.js';
import { changed, noRecord, toTopologyError } from './error.js';
import { type HeldBy, LockFile, POLL_MS } from './lock-file.js';
import type { Part } from './part.js';

/** Name in the locked directory that stands for the lock. There is no record of that name: a lock is a file of its own. */
const ENTRY = 'Lock';
const TOKEN = /^lock:[0-9a-f]{32}$/;

/** Locks between processes of one machine: whoever makes the lock's file has it, the others look again and again. */
export function acquire(part: Part, request: LockRequest, options: CallOptions | undefined): Promise<Lock> {
  return part.locks.track(part.call(request.dir, options, (call) => takeLock(part, request, call)));
}

/** The holder. Who waits is not known. */
export function lockQueue(part: Part, dir: string, options: CallOptions): Promise<LockEntry[]> {
  return part.call(dir, options, async (call) => {
    const found = await readLock(part, dir, call);
    if (found === undefined) return [];
    const { contents, owner, since } = found;
    const entry = { path: entryOf(dir), version: lockVersion(part, found), contents, owner, since };
    return [{ ...entry, holds: true, ttlLeftMs: undefined }];
  });
}

/** Who holds the lock of a directory; undefined: nobody. */
export async function readLock(part: Part, dir: string, call: CallOptions): Promise<HeldBy | undefined> {
  const look = () =>
    raceCall(part.context, call, { kind: 'read', path: dir }, () => lockFile(part, dir).read());
  const found = await look();
  if (found === undefined || found.owner !== undefined) return found;
  // It may be one that is just being written.
  await pause(part, call.signal);
  return look();
}

/** Whether a version is that of a lock and not that of a record. */
export function isLockVersion(version: Version): boolean {
  return TOKEN.test(version.token);
}

/** Takes a lock away from its holder: NoNode when nobody holds it, BadVersion when it was taken anew. */
export function breakLock(
  part: Part,
  path: string,
  version: Version,
  options: CallOptions | undefined,
): Promise<void> {
  return part.call(path, options, (call) =>
    raceCall(part.context, call, { kind: 'write', path }, async () => {
      const dir = parentPath(path);
      const file = lockFile(part, dir);
      const found = path === entryOf(dir) ? await file.read() : undefined;
      if (found === undefined) throw noRecord(part.store, path);
      if (!lockVersion(part, found).equals(version)) throw changed(part.store, path);
      if (!(await file.remove(found.text))) throw changed(part.store, path);
    }),
  );
}

async function takeLock(part: Part, request: LockRequest, call: CallOptions): Promise<Lock> {
  const { dir, contents, purpose, wait } = request;
  if (purpose === 'directory')
    await part.read(dir, call, (tree) => {
      if (tree.list(dir) === undefined) throw nothingToLock(part.context, dir);
    });
  const file = lockFile(part, dir);
  for (;;) {
    let taking: Promise<string | undefined> | undefined;
    const onEnd = () => {
      const abandoned = taking?.then((text) => (text === undefined ? undefined : file.remove(text)));
      if (abandoned !== undefined) part.locks.track(abandoned).catch(() => {});
    };
    const text = await raceCall(part.context, call, { kind: 'read', path: dir, onEnd }, () => {
      taking = file.take(contents, part.context.clock.now());
      return taking;
    });
    if (text !== undefined) return hold(part, dir, file, text);
    if (!wait) throw alreadyLocked(part.context, dir);
    await pause(part, call.signal);
    timeLeft(part.context, call, dir);
  }
}

function hold(part: Part, dir: string, file: LockFile, text: string): Lock {
  const { context } = part;
  const life = new AbortController();
  const lock = new HeldLock(
    context,
    { dir, entry: entryOf(dir) },
    {
      holds: (options) => inTime(part, dir, options, () => file.is(text)),
      release: (options) => part.locks.track(inTime(part, dir, options, () => file.remove(text))),
      stop: () => {
        life.abort();
        part.locks.remove(lock);
      },
    },
  );
  repeat(part, life.signal, async () => {
    if (!(await file.is(text))) lock.lose('its file was removed');
  }).catch((error: unknown) => lock.lose('its file cannot be read', toTopologyError(context, error, dir)));
  part.locks.add(lock);
  return lock;
}

/** Calls `look` again and again until the signal fires. */
export async function repeat(part: Part, signal: AbortSignal, look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look();
    await pause(part, signal);
  }
}

/** Ends early when the signal fires. */
function pause(part: Part, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = part.context.clock.schedule(POLL_MS, end);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
  });
}

/** Works after the end of the connection, too. */
async function inTime<T>(part: Part, dir: string, options: CallOptions, work: () => Promise<T>): Promise<T> {
  try {
    return await raceCall(part.context, options, { kind: 'read', path: dir }, work);
  } catch (error) {
    throw toTopologyError(part.context, error, dir);
  }
}

function lockFile(part: Part, dir: string): LockFile {
  return new LockFile(part.file.name, part.scope, dir);
}

function entryOf(dir: string): string {
  return joinPath(dir, ENTRY);
}

function lockVersion(part: Part, { text }: HeldBy): Version {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 32);
  return Version.of(part.store, `lock:${digest}`);
}
