import type { CancelSignal } from '../topo/cancellation.js';
import type { WatchSignal } from '../zookeeper/client.js';

/** What a one-shot watch says, once, to whoever waits for it. */
export class Signal {
  #fired: WatchSignal | undefined;
  #wake: () => void = () => {};

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
        this.#wake = () => {};
        resolve(this.#fired);
      };
      this.#wake = wake;
      ended.addEventListener('abort', wake);
    });
  }
}
