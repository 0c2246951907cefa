import { interrupted, outcomeUnknown, timedOut } from '../../src/topo/calls.js';
import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import {
  type Call,
  DelegatingConnection,
  type Delivered,
  type IteratingCall,
  type MethodName,
} from '../../src/topo/wrappers/base.js';

/** What goes wrong with one call. */
export interface Fault {
  /** `request`: the store never sees it. `answer`: the store does it, and the caller is not told. */
  readonly lost: 'request' | 'answer';
  /**
   * What the caller is told instead. Default: Unavailable for a lost request; for a lost answer OutcomeUnknown to a
   * write and Timeout to a read.
   */
  readonly error?: Error;
  /** What somebody else does before the caller is told. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** A connection that loses requests and answers as a test says; all other calls reach `inner`. */
export class FaultConnection extends DelegatingConnection {
  /** Every call, in order, those with faults too. */
  readonly calls: MethodName[] = [];
  readonly #choose: (method: MethodName) => Fault | undefined;
  readonly #next = new Map<MethodName, Fault[]>();

  /** `choose` is asked where {@link fail} has nothing to say. */
  constructor(inner: Connection, choose: (method: MethodName) => Fault | undefined = () => undefined) {
    super(inner);
    this.#choose = choose;
  }

  /** The next calls of `method` meet these faults, one each. */
  fail(method: MethodName, ...faults: readonly Fault[]): void {
    this.#next.set(method, [...(this.#next.get(method) ?? []), ...faults]);
  }

  /** How often `method` was called. */
  count(method: MethodName): number {
    return this.calls.filter((call) => call === method).length;
  }

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    const fault = this.#fault(call.method);
    if (fault === undefined) return next(options);
    if (fault.lost === 'answer') await next(options);
    await fault.meanwhile?.();
    const told = fault.lost === 'request' ? this.#unavailable(call.path) : this.#unanswered(call);
    throw fault.error ?? told;
  }

  protected override aroundIteration<T extends Delivered>(
    call: IteratingCall,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    const fault = this.#fault(call.method);
    return fault === undefined ? next(options) : this.#cut(fault, call.path, next(options));
  }

  /** The iteration without its first item, or ending after it. */
  async *#cut<T>(fault: Fault, path: string, items: AsyncIterable<T>): AsyncGenerator<T> {
    if (fault.lost === 'answer') {
      for await (const item of items) {
        yield item;
        break;
      }
    }
    await fault.meanwhile?.();
    throw fault.error ?? this.#unavailable(path);
  }

  #fault(method: MethodName): Fault | undefined {
    this.calls.push(method);
    return this.#next.get(method)?.shift() ?? this.#choose(method);
  }

  #unavailable(path: string | undefined): TopologyError {
    return new TopologyError(ErrorCode.Unavailable, 'no server answers', { path, store: this.store });
  }

  #unanswered(call: Call<unknown>): TopologyError {
    const cause = timedOut(this, call.path);
    return call.kind === 'read' ? cause : outcomeUnknown(this, call.path, cause);
  }
}

/** The store never sees the call. */
export const lostRequest: Fault = { lost: 'request' };
/** The store does the call, and nobody is told. */
export const lostAnswer: Fault = { lost: 'answer' };

/** A write that is lost on its way, of which nobody knows how far it came. */
export function lostSomewhere(connection: Connection, path?: string): Fault {
  const error = outcomeUnknown(connection, path, interrupted(connection, path));
  return { lost: 'request', error };
}
