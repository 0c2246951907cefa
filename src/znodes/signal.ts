import type { CancelSignal } from '../topo/cancellation.js';
import type { WatchSignal } from '../zookeeper/client.js';

/** What a one-shot watch says, once, to whoever waits for it. */
export class Signal {
  #fired: WatchSignal | undefined;
  #wake = NOBODY;

  /** The watcher to set with a read. */
  readonly fire = (signal: WatchSignal): void => {
    this.#fired ??= signal;
    this.#wake();
  };

  /** Undefined when `ended` fires first. */
  async fired(ended: CancelSignal): Promise<WatchSignal | undefined> {
    if (this.#fired !== undefined || ended.aborted) return this.#fired;
    return new Promise((resolve) => {
      const wake = () => {
        ended.removeEventListener('abort', wake);
        this.#wake = NOBODY;
        resolve(this.#fired);
      };
      this.#wake = wake;
      ended.addEventListener('abort', wake);
    });
  }
}

/** Holds nothing: a watcher that is left stays in the client until its znode changes. */
const NOBODY = (): void => {};
