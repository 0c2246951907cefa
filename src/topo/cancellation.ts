/** Tells that work is to be given up: an AbortSignal, or a {@link Cancellation}. */
export interface CancelSignal {
  readonly aborted: boolean;
  /** Undefined until it is aborted. */
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Fires with the first of the signals, for its reason. It listens for as long as they live. */
export function firstOf(...signals: readonly CancelSignal[]): CancelSignal {
  const first = new Cancellation();
  for (const signal of signals) {
    signal.addEventListener('abort', () => first.abort(signal.reason));
    if (signal.aborted) first.abort(signal.reason);
  }
  return first;
}

/**
 * An AbortController and its signal in one, for the requests of a single call. Node's own are events with weak references,
 * which cost a short call more than all else that is done for it here, most of it when they are collected.
 */
export class Cancellation implements CancelSignal {
  aborted = false;
  reason: unknown;
  #listeners: Set<() => void> | undefined;

  /** Calls every listener, once. Does nothing when it was aborted before. */
  abort(reason?: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = [...(this.#listeners ?? [])];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }

  /** As of an AbortSignal, a listener that comes too late is never called. */
  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.aborted) return;
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners?.delete(listener);
  }
}
