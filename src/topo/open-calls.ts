import { Cancellation } from './cancellation.js';
import type { Failed } from './member-failures.js';

/** A call from its beginning to its end, through all its requests. It is the signal of its end, too. */
export class OpenCall extends Cancellation {
  readonly about: Failed;
  /** When it is given up, in milliseconds since the epoch, as the members tell the time. */
  until = Number.POSITIVE_INFINITY;
  /** Whether a request left that was not refused. */
  sent = false;
  /** The member that was asked last. */
  asked: object | undefined;

  constructor(about: Failed) {
    super();
    this.about = about;
  }

  readonly onSend = (): void => {
    this.sent = true;
  };
}

/** Calls that end together. */
export class OpenCalls {
  readonly #open = new Set<OpenCall>();
  #ended: { readonly reason: unknown } | undefined;

  /** Undefined while calls may begin. */
  get ended(): { readonly reason: unknown } | undefined {
    return this.#ended;
  }

  open(about: Failed): OpenCall {
    const call = new OpenCall(about);
    this.#open.add(call);
    return call;
  }

  forget(call: OpenCall): void {
    this.#open.delete(call);
  }

  /** Cancels all calls, and has no others begin. Idempotent. */
  end(reason: unknown): void {
    this.#ended ??= { reason };
    for (const call of this.#open) call.abort(reason);
  }
}
