import type { CallOptions } from '../../topo/connection.js';
import { alreadyLocked, nothingToLock } from '../../topo/held-lock.js';
import { keepAlive } from '../../topo/keep-alive.js';
import { ELECTIONS, type LockRequest } from '../../topo/locks.js';
import { isBelow } from '../../topo/paths.js';
import type { Requests } from './requests.js';

/** One who asks for a lock, waits for it, holds it: a session of its own, kept alive, and the entry that it owns. */
export class Member {
  /** Called once, when the session or the entry is there no more though nobody gave it back. */
  onGone: (why: string) => void = () => {};
  readonly #requests: Requests;
  readonly #request: LockRequest;
  readonly #place: string;
  readonly #contents: Buffer;
  #session: string | undefined;
  #key: string | undefined;
  #left = false;
  #gone: string | undefined;
  #wake = () => {};
  #stopWaiting = () => {};
  #enders: (() => void)[] = [];

  constructor(requests: Requests, request: LockRequest) {
    this.#requests = requests;
    this.#request = request;
    this.#place = lockPlace(requests, request.dir);
    this.#contents = Buffer.from(request.contents);
    this.#enders.push(
      requests.onClose(() => {
        this.gone('the connection was closed');
        void this.leave();
      }),
    );
  }

  /** Why it is in line no more; undefined while it is. */
  get why(): string | undefined {
    return this.#gone;
  }

  /** The record that stands for it, and the session that owns it. */
  get entry(): { readonly key: string; readonly owner: string } | undefined {
    const [key, owner] = [this.#key, this.#session];
    return key === undefined || owner === undefined ? undefined : { key, owner };
  }

  /** Begins a session, if the lock can be asked for at all: NoNode, NodeExists. */
  async begin(limits: CallOptions): Promise<void> {
    const { context, lockSettings, store } = this.#requests;
    const { dir, purpose, wait, ttlMs = lockSettings.lockTtlMs } = this.#request;
    const since = context.clock.now();
    const { least, most, usual } = store.timeToLive;
    const ttl = Math.min(Math.max(ttlMs ?? usual, least), most);
    const session = await this.#requests.read(dir, limits, () => {
      const there = purpose !== 'directory' || (store.names(this.#requests.keyOf(dir))?.length ?? 0) > 0;
      if (!there) throw nothingToLock(context, dir);
      if (!wait && store.line(this.#place).length > 0) throw alreadyLocked(context, dir);
      const opened = store.openSession({ ttlMs: ttl, lockDelayMs: lockSettings.lockDelayMs ?? 0 });
      if (this.#left) store.expireSession(opened);
      this.#session = opened;
      return opened;
    });
    if (this.#left) return;
    this.#enders.push(
      keepAlive({
        context,
        ttlMs: ttl,
        since,
        renew: (options) => this.#requests.read(dir, options, () => store.keepAlive(session)),
        onOver: (why) => this.gone(why),
      }),
    );
  }

  /**
   * Stands in line, if it does not yet, and looks whether it is the first. If not, `changed` resolves when it should
   * look again.
   */
  look(limits: CallOptions): Promise<{ readonly holds: boolean; readonly changed: Promise<void> }> {
    const { store } = this.#requests;
    return this.#requests.read(this.#request.dir, limits, () => {
      const session = this.#session;
      if (session === undefined || !store.isAlive(session)) this.gone('its session ended');
      else this.#key ??= this.#stand(session);
      const changed = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      const line = store.line(this.#place);
      const mine = line.findIndex(({ key }) => key === this.#key);
      if (this.#gone !== undefined || this.#left || mine === 0) return { holds: mine === 0, changed };
      const before = line[mine < 0 ? line.length - 1 : mine - 1];
      this.#wakeWhen(before?.key);
      return { holds: false, changed };
    });
  }

  /** Whether the store has it as the owner of its entry. */
  holds(options: CallOptions): Promise<boolean> {
    return this.#requests.read(this.#request.dir, options, () => this.#owns());
  }

  /** Notes that it was put out of line. */
  gone(why: string): void {
    if (this.#left || this.#gone !== undefined) return;
    this.#gone = why;
    this.#wake();
    this.onGone(why);
  }

  /** Ends what keeps it in line on this side. */
  stop(): void {
    this.#left = true;
    this.#wake();
    this.#stopWaiting();
    for (const end of this.#enders.splice(0)) end();
  }

  /** Gives back the entry and the session; false when the entry was its own no more. */
  leave(): Promise<boolean> {
    this.stop();
    const { store, root } = this.#requests;
    return this.#requests.afterwards(() => {
      const mine = this.#owns();
      if (mine && this.#key !== undefined)
        for (const _ of store.write([{ type: 'delete', key: this.#key, token: null }], root));
      if (this.#session !== undefined) store.expireSession(this.#session);
      return mine;
    });
  }

  #stand(session: string): string | undefined {
    const { store } = this.#requests;
    const key = store.standInLine(this.#place, this.#contents, session);
    if (key !== undefined)
      this.#enders.push(
        store.watchers.onKey(key, () => {
          store.deliver(() => {
            if (!this.#owns()) this.gone('its entry was deleted or taken over');
          });
        }),
      );
    return key;
  }

  #owns(): boolean {
    const { store } = this.#requests;
    return this.#key !== undefined && store.record(this.#key)?.owner === this.#session;
  }

  /** Wakes who waits when the record at a key has changed; without one, when the delay of the lock is over. */
  #wakeWhen(key: string | undefined): void {
    const { context, store } = this.#requests;
    this.#stopWaiting();
    this.#stopWaiting =
      key === undefined
        ? context.clock.schedule(store.lockDelay(this.#place), this.#wake)
        : store.watchers.onKey(key, () => {
            this.#stopWaiting();
            store.deliver(this.#wake);
          });
  }
}

/** Key of the place where the store keeps the lock of a directory. */
export function lockPlace(requests: Requests, dir: string): string {
  return requests.store.lockPlace(requests.keyOf(dir), isBelow(dir, ELECTIONS));
}
