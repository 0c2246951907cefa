import { raceCall } from '../../topo/calls.js';
import type { CallOptions } from '../../topo/connection.js';
import { alreadyLocked, HeldLock } from '../../topo/held-lock.js';
import type { Lock, LockEntry, LockRequest } from '../../topo/locks.js';
import { lockPlace, Member } from './member.js';
import type { Requests } from './requests.js';
import { makeVersion } from './version.js';

/** Stands in line, anew whenever it is put out of it, until it is first. */
export async function acquire(
  requests: Requests,
  request: LockRequest,
  options: CallOptions = {},
): Promise<Lock> {
  const { signal, deadline = Number.POSITIVE_INFINITY } = options;
  for (;;) {
    const member = new Member(requests, request);
    try {
      await member.begin({ signal, deadline });
      if (await isFirst(requests, request, member, { signal, deadline }))
        return hold(requests, request, member);
    } catch (error) {
      void member.leave();
      throw error;
    }
    void member.leave();
  }
}

export async function lockQueue(requests: Requests, dir: string, options: CallOptions): Promise<LockEntry[]> {
  const { context, store } = requests;
  const line = await requests.read(dir, options, () => store.line(lockPlace(requests, dir)));
  return line.map(({ key, item }, index) => ({
    path: requests.pathOf(key),
    version: makeVersion(context.store, store.token(item)),
    contents: Buffer.from(item.bytes ?? []).toString(),
    holds: index === 0,
    owner: item.owner === '' ? undefined : item.owner,
    since: undefined,
    ttlLeftMs: undefined,
  }));
}

/** Waits, if the request says so, until the member is first; false when it was put out of line. */
async function isFirst(
  { context }: Requests,
  { dir, wait }: LockRequest,
  member: Member,
  limits: CallOptions,
): Promise<boolean> {
  for (;;) {
    const { holds, changed } = await member.look(limits);
    if (member.why !== undefined) return false;
    if (holds) return true;
    if (!wait) throw alreadyLocked(context, dir);
    await raceCall(context, limits, { kind: 'read', path: dir }, changed);
  }
}

function hold(requests: Requests, { dir }: LockRequest, member: Member): Lock {
  const entry = requests.pathOf(member.entry?.key ?? '');
  const lock = new HeldLock(
    requests.context,
    { dir, entry },
    {
      holds: (options) => member.holds(options),
      release: (options) => raceCall(requests.context, options, { kind: 'read', path: dir }, member.leave()),
      stop: () => {
        member.stop();
        requests.held.delete(lock);
      },
    },
  );
  requests.held.set(lock, member);
  member.onGone = (why) => lock.lose(why);
  if (member.why !== undefined) lock.lose(member.why);
  return lock;
}
