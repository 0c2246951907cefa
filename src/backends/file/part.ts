import { setMaxListeners } from 'node:events';
import { type CallContext, interrupted, raceCall, timeLeft } from '../../topo/calls.js';
import type { CallOptions, Value } from '../../topo/connection.js';
import { HeldLocks } from '../../topo/held-locks.js';
import { toTopologyError } from './error.js';
import type { ChangeItem } from './format.js';
import type { SharedFile, Write } from './shared.js';
import type { Entry, Tree } from './tree.js';
import { makeVersion } from './version.js';

/** One scope of a file, as one connection sees it: calls with their deadlines, signals and errors. */
export class Part {
  readonly context: CallContext;
  readonly scope: string;
  readonly file: SharedFile;
  readonly locks: HeldLocks;
  #closed = false;
  readonly #endings = new Set<() => void>();

  constructor(context: CallContext, scope: string, file: SharedFile) {
    this.context = context;
    this.scope = scope;
    this.file = file;
    this.locks = new HeldLocks(context);
  }

  get store(): string {
    return this.context.store;
  }

  /** Calls `work` with the records as they are now, and their position. */
  read<T>(
    path: string | undefined,
    options: CallOptions | undefined,
    work: (tree: Tree, position: bigint) => T,
  ): Promise<T> {
    return this.call(path, options, (call) =>
      raceCall(this.context, call, { kind: 'read', path }, () =>
        this.file.read((contents) => work(contents.tree(this.scope), this.file.position)),
      ),
    );
  }

  /** Makes the change that `decide` gives; answers with the new entries by path when it is on the disk. */
  write(
    path: string | undefined,
    options: CallOptions | undefined,
    decide: (tree: Tree) => readonly ChangeItem[],
  ): Promise<ReadonlyMap<string, Entry>> {
    return this.call(path, options, (call) => {
      let write: Write | undefined;
      const race = {
        path,
        // What a deadline means depends on how far the write is when it strikes.
        get kind() {
          return write?.sent === true ? ('write' as const) : ('read' as const);
        },
        onEnd: () => {
          if (write !== undefined) write.cancelled = true;
        },
      };
      return raceCall(this.context, call, race, () => {
        return new Promise<ReadonlyMap<string, Entry>>((resolve, reject) => {
          write = { scope: this.scope, decide, sent: false, cancelled: false, resolve, reject };
          this.file.write(write);
        });
      });
    });
  }

  /** Calls `ending` when the connection is closed; the answer takes that back. Interrupted: it is closed already. */
  onEnd(path: string | undefined, ending: () => void): () => void {
    if (this.#closed) throw interrupted(this.context, path);
    this.#endings.add(ending);
    return () => this.#endings.delete(ending);
  }

  /** Interrupted or Timeout when a call of several steps is over. */
  checkGoesOn(path: string, options: CallOptions | undefined): void {
    if (this.#closed) throw interrupted(this.context, path);
    timeLeft(this.context, options, path);
  }

  /** The number of the file's last change. */
  position(options: CallOptions): Promise<bigint> {
    return this.read(undefined, options, (_tree, position) => position);
  }

  /** Ends every call in flight, refuses later ones, and gives locks back. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const ending of [...this.#endings]) ending();
    await this.locks.end();
    await this.file.release();
  }

  value(entry: Entry): Value {
    return {
      bytes: Buffer.from(entry.bytes),
      version: makeVersion(this.store, entry),
      ephemeral: false,
    };
  }

  /** Does `work` with a signal that fires at the end of the connection, too; what it throws becomes a TopologyError. */
  async call<T>(
    path: string | undefined,
    options: CallOptions | undefined,
    work: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    const forget = this.onEnd(path, () => controller.abort());
    const given = options?.signal;
    // AbortSignal.any would do, but keeps memory for every call as long as the caller's signal lives.
    const forward = () => controller.abort(given?.reason);
    if (given?.aborted) forward();
    // Many calls share one signal; Node would take that for a leak.
    if (given !== undefined) setMaxListeners(0, given);
    given?.addEventListener('abort', forward, { once: true });
    try {
      return await work({ signal: controller.signal, deadline: options?.deadline });
    } catch (error) {
      throw toTopologyError(this.context, error, path);
    } finally {
      forget();
      given?.removeEventListener('abort', forward);
    }
  }
}
