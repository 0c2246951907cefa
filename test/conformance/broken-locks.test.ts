import type { CallOptions, Connection, WriteOp, WriteOptions } from '../../src/topo/connection.js';
import type { LeaderEvent, Lock } from '../../src/topo/locks.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { type Broken, catches } from './broken.js';
import { pause } from './tools.js';

/** A lock that another one keeps. */
class OtherLock implements Lock {
  protected readonly inner: Lock;

  constructor(inner: Lock) {
    this.inner = inner;
  }

  get store(): string {
    return this.inner.store;
  }

  get dir(): string {
    return this.inner.dir;
  }

  get entry(): string {
    return this.inner.entry;
  }

  get lost(): AbortSignal {
    return this.inner.lost;
  }

  check(options?: CallOptions): Promise<void> {
    return this.inner.check(options);
  }

  unlock(): Promise<void> {
    return this.inner.unlock();
  }
}

class StaysLocked extends OtherLock {
  override unlock(): Promise<void> {
    return Promise.resolve();
  }
}

class TellsNoLoss extends OtherLock {
  readonly #silent = new AbortController().signal;

  override get lost(): AbortSignal {
    return this.#silent;
  }
}

class ChecksItsMemory extends OtherLock {
  override async check(): Promise<void> {
    if (this.lost.aborted) throw this.lost.reason;
  }
}

class DeletesAnyEntry extends OtherLock {
  readonly #connection: Connection;

  constructor(inner: Lock, connection: Connection) {
    super(inner);
    this.#connection = connection;
  }

  override async unlock(): Promise<void> {
    for (const { path } of await this.#connection.lockQueue(this.dir))
      await this.#connection.delete(path, null);
    await this.inner.unlock();
  }
}

/** A connection whose locks are others. */
function locking(change: (lock: Lock, connection: Connection) => Lock): Broken['make'] {
  return class extends DelegatingConnection {
    override async lock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
      return change(await this.inner.lock(dir, contents, options), this.inner);
    }
  };
}

class HoldsAtOnce extends DelegatingConnection {
  #locks = 0;

  override lock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    this.#locks += 1;
    return this.inner.lockName(`${dir}/${this.#locks}-${Math.random()}`, contents, options);
  }
}

class WaitsToTry extends DelegatingConnection {
  override tryLock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    return this.inner.lock(dir, contents, options);
  }
}

class WaitsOnUnseen extends DelegatingConnection {
  override lock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    const { signal, deadline } = options ?? {};
    const given = this.inner.lock(dir, contents);
    given.catch(() => {});
    return Promise.race([given, endOf(this.inner, { signal, deadline })]);
  }
}

/** Fails as a wait does that its signal or deadline ends, and takes nothing back. */
async function endOf(connection: Connection, options: CallOptions): Promise<never> {
  for await (const _ of connection.watch('keyspaces/ks', options));
  throw new Error('a watch does not end by itself');
}

class GivesBackWithItsSignal extends DelegatingConnection {
  override async lock(dir: string, contents: string, options?: CallOptions): Promise<Lock> {
    const lock = await this.inner.lock(dir, contents, options);
    options?.signal?.addEventListener('abort', () => void lock.unlock().catch(() => {}));
    return lock;
  }
}

class IgnoresFences extends DelegatingConnection {
  override write(ops: readonly WriteOp[], options?: WriteOptions) {
    return this.inner.write(ops, { signal: options?.signal, deadline: options?.deadline });
  }
}

class ChecksFencesBefore extends DelegatingConnection {
  override async write(ops: readonly WriteOp[], options?: WriteOptions) {
    const { fence, ...others } = options ?? {};
    await fence?.check(others);
    await pause(100);
    return this.inner.write(ops, others);
  }
}

class RemembersTheLeader extends DelegatingConnection {
  #leader: string | undefined;

  override async leader(name: string, options?: CallOptions): Promise<string | undefined> {
    this.#leader ??= await this.inner.leader(name, options);
    return this.#leader;
  }
}

class FollowsOneLeader extends DelegatingConnection {
  override async *watchLeader(name: string, options?: CallOptions): AsyncGenerator<LeaderEvent> {
    let told = 0;
    for await (const event of this.inner.watchLeader(name, options)) {
      told += 1;
      if (told <= 2) yield event;
    }
  }
}

class KeepsLocksOnClose extends DelegatingConnection {
  override close(): Promise<void> {
    return Promise.resolve();
  }
}

catches({
  'lets two hold one lock': {
    make: HoldsAtOnce,
    caughtBy: [
      'who waits gets the lock when it is given back, and not before',
      'of fifty who contend for one lock never two hold it, all get it, and nothing is left',
    ],
  },
  'leaves the entry of a lock': {
    make: locking((lock) => new StaysLocked(lock)),
    caughtBy: [
      'a lock is held until unlock, and its entry is an ephemeral record that holds the contents',
      'unlock leaves the store as it was: records, versions, directories',
    ],
  },
  'waits in tryLock': {
    make: WaitsToTry,
    caughtBy: [
      'tryLock of a lock that is held is NodeExists at once, also by the same connection, and leaves nothing',
    ],
  },
  'does not tell of a loss': {
    make: locking((lock) => new TellsNoLoss(lock)),
    caughtBy: [
      'a lock whose entry is deleted by hand is lost at once: lost fires, check and unlock are LockLost',
    ],
  },
  'answers check from memory': {
    make: locking((lock) => new ChecksItsMemory(lock)),
    caughtBy: ['check asks the store: it is LockLost right after the entry was deleted'],
  },
  'gives back the lock of another': {
    make: locking((lock, connection) => new DeletesAnyEntry(lock, connection)),
    caughtBy: ['who lost a lock takes nothing of the one that has it now'],
  },
  'stays in line after it gave up': {
    make: WaitsOnUnseen,
    caughtBy: [
      'an abort that meets the asking at any moment leaves nothing behind, whether the lock was free or held',
    ],
  },
  'gives a lock back with the signal of the call': {
    make: GivesBackWithItsSignal,
    caughtBy: ['signal and deadline of the call that took a lock do nothing to it afterwards'],
  },
  'ignores a fence': {
    make: IgnoresFences,
    caughtBy: [
      'after unlock it is LockLost, names the lock, and nothing is done, also when the lock is held anew',
      'right after the entry of the lock was deleted it is LockLost, whether or not that is known here',
      'when somebody else holds the lock by now it is LockLost, and the new holder can write',
    ],
  },
  'looks at a fence and writes then': {
    make: ChecksFencesBefore,
    caughtBy: ['whoever goes on writing under a lost lock writes nothing once another holds it'],
  },
  'remembers the leader': {
    make: RemembersTheLeader,
    caughtBy: [
      'a candidate waits while another leads, and leads when that one resigns',
      'nobody leads where nobody stands; the first candidate leads at once, and every connection is told its id',
    ],
  },
  'follows the first leader only': {
    make: FollowsOneLeader,
    caughtBy: ['watchLeader tells the present leader first, nobody included, and then each that leads'],
  },
  'keeps its locks on close': {
    make: KeepsLocksOnClose,
    caughtBy: ['close gives locks back, and they count as lost', 'close resigns'],
  },
});
