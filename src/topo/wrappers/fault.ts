import { interrupted, outcomeUnknown, raceCall, timedOut, timeLeft } from '../calls.js';
import type { CallOptions, Connection, DirEntry, ScanPage, Value } from '../connection.js';
import { ErrorCode, TopologyError } from '../errors.js';
import type { Version } from '../version.js';
import {
  type Call,
  DelegatingConnection,
  type Delivered,
  type IteratingCall,
  type ReadCall,
} from './base.js';
import { begunAfter, cutOff, inPlaceOf } from './fault-iterations.js';
import type { Fault, FaultPlan } from './fault-plan.js';
import { answerOf, outcomeOf, Past } from './past.js';

/**
 * A connection whose calls meet the faults that a plan chooses. It remembers answers, for stale ones: it is meant for
 * tests and simulation.
 */
export function withFaults(inner: Connection, plan: FaultPlan): Connection {
  return new FaultyConnection(inner, plan);
}

/** The fault chosen for one call; `done` reports it. */
interface Chosen {
  readonly fault: Fault;
  readonly done: () => void;
}

type Next<T> = (options: CallOptions | undefined) => Promise<T>;

class FaultyConnection extends DelegatingConnection {
  readonly #plan: FaultPlan;
  readonly #values = new Past<Value>();
  readonly #names = new Past<string[]>();
  readonly #entries = new Past<DirEntry[]>();
  readonly #positions = new Past<bigint>();
  readonly #scans = new Map<string, readonly ScanPage[]>();
  /** Ends each wait. */
  readonly #waiting = new Set<() => void>();
  #calls = 0;
  #closed = false;

  constructor(inner: Connection, plan: FaultPlan) {
    super(inner);
    this.#plan = plan;
  }

  override close(): Promise<void> {
    this.#closed = true;
    for (const end of [...this.#waiting]) end();
    return super.close();
  }

  override get(path: string, options?: CallOptions): Promise<Value> {
    const call = { kind: 'read', method: 'get', path } as const;
    return this.#read(call, options, (chosen) => this.inner.get(path, chosen), this.#values);
  }

  override listDir(path: string, options?: CallOptions): Promise<string[]> {
    const call = { kind: 'read', method: 'listDir', path } as const;
    return this.#read(call, options, (chosen) => this.inner.listDir(path, chosen), this.#names, []);
  }

  override listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    const call = { kind: 'read', method: 'listDirFull', path } as const;
    return this.#read(call, options, (chosen) => this.inner.listDirFull(path, chosen), this.#entries, []);
  }

  override position(options?: CallOptions): Promise<bigint> {
    const call = { kind: 'read', method: 'position', path: undefined } as const;
    return this.#read(call, options, (chosen) => this.inner.position(chosen), this.#positions);
  }

  override async create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    const version = await super.create(path, bytes, options);
    this.#noteAbsent(path);
    this.#noteWritten(path, bytes, version);
    return version;
  }

  override async update(
    path: string,
    bytes: Uint8Array,
    version: Version | null,
    options?: CallOptions,
  ): Promise<Version> {
    const written = await super.update(path, bytes, version, options);
    this.#noteWritten(path, bytes, written);
    return written;
  }

  override async delete(path: string, version: Version | null, options?: CallOptions): Promise<void> {
    await super.delete(path, version, options);
    this.#noteAbsent(path);
  }

  override scan(prefix: string, options?: CallOptions): AsyncIterable<ScanPage> {
    const call = { method: 'scan', path: prefix } as const;
    const chosen = this.#choose(call);
    const next = (passed: CallOptions | undefined) =>
      this.#remembered(prefix, this.inner.scan(prefix, passed));
    const past = this.#scans.get(prefix);
    const kind = chosen?.fault.kind;
    if (kind === 'empty listing')
      return inPlaceOf(next(options), ({ position }) => [{ records: [], position }], chosen?.done);
    if (kind === 'stale read' && past !== undefined)
      return inPlaceOf(next(options), () => past, chosen?.done);
    return this.#iterate(call, chosen, options, next);
  }

  protected override around<T>(call: Call<T>, options: CallOptions | undefined, next: Next<T>): Promise<T> {
    return this.#meet(call, this.#choose(call), options, next);
  }

  protected override aroundIteration<T extends Delivered>(
    call: IteratingCall,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    return this.#iterate(call, this.#choose(call), options, next);
  }

  #choose({ method, path }: Call<unknown> | IteratingCall): Chosen | undefined {
    this.#calls += 1;
    const call = { method, path, nth: this.#calls };
    const fault = this.#plan.choose(call);
    return fault && { fault, done: () => this.#plan.report?.({ ...call, store: this.store, fault }) };
  }

  async #read<T>(
    call: ReadCall,
    options: CallOptions | undefined,
    next: Next<T>,
    past: Past<T>,
    empty?: T,
  ): Promise<T> {
    const chosen = this.#choose(call);
    const key = call.path ?? '';
    const present = await outcomeOf(this.#meet(call, chosen, options, next));
    const before = past.note(key, present);
    if (chosen?.fault.kind === 'stale read' && before !== undefined) {
      chosen.done();
      return answerOf(before);
    }
    if (chosen?.fault.kind === 'empty listing' && empty !== undefined) {
      chosen.done();
      return empty;
    }
    return answerOf(present);
  }

  /** The call with the faults that are no lies about what was read. */
  async #meet<T>(
    call: Call<T>,
    chosen: Chosen | undefined,
    options: CallOptions | undefined,
    next: Next<T>,
  ): Promise<T> {
    if (chosen === undefined) return next(options);
    const { fault, done } = chosen;
    switch (fault.kind) {
      case 'drop request':
        timeLeft(this.#context, options, call.path);
        done();
        await fault.meanwhile?.();
        throw fault.error ?? (fault.unnoticed ? this.#unanswered(call) : this.#unavailable(call.path));
      case 'drop answer':
        if (call.kind === 'lock') return next(options);
        await next(options);
        done();
        await fault.meanwhile?.();
        throw fault.error ?? this.#unanswered(call);
      case 'delay':
        done();
        await this.#wait(fault.ms, options, call.path);
        return next(options);
      case 'duplicate':
        if (call.kind !== 'write') return next(options);
        await next(options);
        done();
        return next(options);
      default:
        return next(options);
    }
  }

  #iterate<T>(
    call: IteratingCall,
    chosen: Chosen | undefined,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    if (chosen === undefined) return next(options);
    const { fault, done } = chosen;
    const reads = call.method === 'scan' || call.method === 'history';
    const error = () => (reads ? this.#unavailable(call.path) : this.#watchLost(call.path));
    if (fault.kind === 'drop answer' || fault.kind === 'drop request')
      return cutOff(fault.kind === 'drop answer' ? next(options) : undefined, async () => {
        timeLeft(this.#context, options, call.path);
        done();
        await fault.meanwhile?.();
        throw fault.error ?? error();
      });
    if (fault.kind !== 'delay') return next(options);
    return begunAfter(next(options), () => {
      done();
      return this.#wait(fault.ms, options, call.path);
    });
  }

  /** Interrupted or Timeout when the signal, the deadline or close strikes before `ms` milliseconds are over. */
  #wait(ms: number, options: CallOptions | undefined, path: string | undefined): Promise<void> {
    let end = () => {};
    const waited = () =>
      new Promise<void>((resolve, reject) => {
        const cancel = this.#plan.clock.schedule(ms, resolve);
        end = () => {
          cancel();
          this.#waiting.delete(end);
          reject(interrupted(this, path));
        };
        this.#waiting.add(end);
        if (this.#closed) end();
      });
    return raceCall(this.#context, options, { kind: 'read', path }, waited).finally(() => end());
  }

  async *#remembered(prefix: string, scan: AsyncIterable<ScanPage>): AsyncGenerator<ScanPage> {
    const pages: ScanPage[] = [];
    for await (const page of scan) {
      pages.push(page);
      yield page;
    }
    this.#scans.set(prefix, pages);
  }

  #noteWritten(path: string, bytes: Uint8Array, version: Version): void {
    this.#values.note(path, { answer: { bytes: Buffer.from(bytes), version, ephemeral: false } });
  }

  #noteAbsent(path: string): void {
    const message = 'there is no such record';
    const nothing = new TopologyError(ErrorCode.NoNode, message, { path, store: this.store });
    this.#values.note(path, { nothing });
  }

  /** Calls without a deadline have the limit of the inner connection. */
  get #context() {
    return { store: this.store, clock: this.#plan.clock, defaultTimeoutMs: Number.POSITIVE_INFINITY };
  }

  #unavailable(path: string | undefined): TopologyError {
    return new TopologyError(ErrorCode.Unavailable, 'no server answers', { path, store: this.store });
  }

  #watchLost(path: string): TopologyError {
    return new TopologyError(ErrorCode.WatchLost, 'the watch was lost', { path, store: this.store });
  }

  #unanswered(call: Call<unknown>): TopologyError {
    const cause = timedOut(this, call.path);
    return call.kind === 'write' ? outcomeUnknown(this, call.path, cause) : cause;
  }
}
