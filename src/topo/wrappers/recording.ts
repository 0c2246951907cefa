import type { Clock } from '../clock.js';
import type { CallOptions, Connection, Value } from '../connection.js';
import { type ErrorCode, isTopologyError } from '../errors.js';
import {
  type Call,
  type Change,
  DelegatingConnection,
  type Delivered,
  type IteratingCall,
  type MethodName,
} from './base.js';

/** One call that is over. An iteration is one call, from its first step to its end. */
export interface RecordedCall {
  readonly store: string;
  readonly method: MethodName;
  readonly path: string | undefined;
  /** `ok`, the code of the failure, or `unexpected` for what is no TopologyError. An iteration that was left is `ok`. */
  readonly outcome: 'ok' | 'unexpected' | ErrorCode;
  /** Bytes of the record values read and written, without paths and framing. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Milliseconds. */
  readonly ms: number;
}

/** What the calls of one method add up to. */
export interface MethodMetrics {
  readonly calls: number;
  /** Failures by {@link RecordedCall.outcome}. */
  readonly errors: Readonly<Record<string, number>>;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Milliseconds, all calls together. */
  readonly totalMs: number;
  /** Milliseconds of the longest. */
  readonly maxMs: number;
}

const NONE: MethodMetrics = { calls: 0, errors: {}, bytesRead: 0, bytesWritten: 0, totalMs: 0, maxMs: 0 };

/** Adds up calls, of one connection or several. */
export class Metrics {
  readonly #methods = new Map<MethodName, MethodMetrics>();

  add(call: RecordedCall): void {
    const sum = this.of(call.method);
    const failed = call.outcome === 'ok' ? {} : { [call.outcome]: (sum.errors[call.outcome] ?? 0) + 1 };
    this.#methods.set(call.method, {
      calls: sum.calls + 1,
      errors: { ...sum.errors, ...failed },
      bytesRead: sum.bytesRead + call.bytesRead,
      bytesWritten: sum.bytesWritten + call.bytesWritten,
      totalMs: sum.totalMs + call.ms,
      maxMs: Math.max(sum.maxMs, call.ms),
    });
  }

  of(method: MethodName): MethodMetrics {
    return this.#methods.get(method) ?? NONE;
  }

  /** Every method that was called, in the order of first use. */
  all(): ReadonlyMap<MethodName, MethodMetrics> {
    return new Map(this.#methods);
  }
}

export interface RecordingSettings {
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Told of each call when it is over. */
  readonly sink?: ((call: RecordedCall) => void) | undefined;
}

/** Counts what goes through a connection, and changes nothing. */
export function withRecording(inner: Connection, settings: RecordingSettings): Connection {
  return new RecordingConnection(inner, settings);
}

class RecordingConnection extends DelegatingConnection {
  readonly #settings: RecordingSettings;

  constructor(inner: Connection, settings: RecordingSettings) {
    super(inner);
    this.#settings = settings;
  }

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    const finish = this.#begin(call.method, call.path);
    const bytesWritten = call.kind === 'write' ? bytesOf(call.changes) : 0;
    try {
      const answer = await next(options);
      finish('ok', isValue(answer) ? answer.bytes.byteLength : 0, bytesWritten);
      return answer;
    } catch (error) {
      finish(outcomeOf(error), 0, bytesWritten);
      throw error;
    }
  }

  protected override aroundIteration<T extends Delivered>(
    call: IteratingCall,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    return { [Symbol.asyncIterator]: () => this.#recorded(call, () => next(options)) };
  }

  /** By hand and not as a generator, whose `return` would wait for an event that may never come. */
  #recorded<T extends Delivered>(
    call: IteratingCall,
    begin: () => AsyncIterable<T>,
  ): AsyncIterator<T, undefined> {
    let bytes = 0;
    let running: { readonly items: AsyncIterator<T>; readonly finish: Finish } | undefined;
    const start = () => {
      const finish = this.#begin(call.method, call.path);
      try {
        running = { items: begin()[Symbol.asyncIterator](), finish };
      } catch (error) {
        finish(outcomeOf(error), 0, 0);
        throw error;
      }
      return running;
    };
    return {
      async next() {
        const { items, finish } = running ?? start();
        try {
          const result = await items.next();
          if (result.done === true) {
            finish('ok', bytes, 0);
            return { done: true, value: undefined };
          }
          bytes += bytesIn(result.value);
          return { done: false, value: result.value };
        } catch (error) {
          finish(outcomeOf(error), bytes, 0);
          throw error;
        }
      },
      async return() {
        running?.finish('ok', bytes, 0);
        await running?.items.return?.();
        return { done: true, value: undefined };
      },
    };
  }

  #begin(method: MethodName, path: string | undefined): Finish {
    const { clock, metrics, sink } = this.#settings;
    const begun = clock.now();
    let over = false;
    return (outcome, bytesRead, bytesWritten) => {
      if (over) return;
      over = true;
      const ms = clock.now() - begun;
      const call = { store: this.store, method, path, outcome, bytesRead, bytesWritten, ms };
      metrics.add(call);
      sink?.(call);
    };
  }
}

type Finish = (outcome: RecordedCall['outcome'], bytesRead: number, bytesWritten: number) => void;

function outcomeOf(error: unknown): RecordedCall['outcome'] {
  return isTopologyError(error) ? error.code : 'unexpected';
}

function isValue(answer: unknown): answer is Value {
  return typeof answer === 'object' && answer !== null && 'bytes' in answer && 'version' in answer;
}

function bytesOf(items: readonly (Change | Value)[]): number {
  let total = 0;
  for (const item of items) if ('bytes' in item) total += item.bytes.byteLength;
  return total;
}

function bytesIn(item: Delivered): number {
  if ('records' in item) return bytesOf(item.records);
  return 'value' in item ? (item.value?.bytes.byteLength ?? 0) : 0;
}
