import assert from 'node:assert/strict';
import type { Connection, SyncedEvent, WatchEvent } from '../../src/topo/connection.js';
import type { Context } from './sentence.js';
import { PATIENCE_MS, within } from './tools.js';

/** Collects what a watch delivers, and waits for what must come. */
export class Follower {
  readonly events: (WatchEvent | SyncedEvent)[] = [];
  /** Settles when the watch ends: with its error, or undefined when it ended by itself. */
  readonly ended: Promise<unknown>;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<() => void>();
  #over = false;

  constructor(begin: (signal: AbortSignal) => AsyncIterable<WatchEvent | SyncedEvent>) {
    this.ended = this.#follow(begin);
  }

  async #follow(begin: (signal: AbortSignal) => AsyncIterable<WatchEvent | SyncedEvent>): Promise<unknown> {
    try {
      for await (const event of begin(this.#abort.signal)) {
        this.events.push(event);
        this.#wake();
      }
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.#over = true;
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Waits until what was delivered satisfies `condition`. */
  async until(
    what: string,
    condition: (events: readonly (WatchEvent | SyncedEvent)[]) => boolean,
  ): Promise<void> {
    const limit = Date.now() + PATIENCE_MS;
    while (!condition(this.events)) {
      if (this.#over) assert.fail(`the watch ended before ${what}: ${String(await this.ended)}`);
      const left = limit - Date.now();
      if (left <= 0)
        assert.fail(`${what}: not delivered; the last of ${this.events.length} is ${this.last()}`);
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, left);
        this.#waiting.add(wake);
      });
    }
  }

  /** Waits until the latest state of `path` is `text`; undefined: that it does not exist. */
  untilState(path: string, text: string | undefined): Promise<void> {
    return this.until(text === undefined ? `the absence of ${path}` : `${path} with ${text}`, () => {
      const states = this.statesOf(path);
      return states.length > 0 && states.at(-1) === text;
    });
  }

  /** Texts of one record in the order of delivery; undefined where it does not exist. */
  statesOf(path: string): (string | undefined)[] {
    return this.events.flatMap((event) =>
      event.type === 'record' && event.path === path ? [textOf(event)] : [],
    );
  }

  last(): string {
    const event = this.events.at(-1);
    return event?.type === 'record' ? `${event.path} ${textOf(event) ?? '(absent)'}` : String(event?.type);
  }

  /** Ends the watch by its signal and gives what it ended with. */
  async stop(): Promise<unknown> {
    this.#abort.abort();
    return within(PATIENCE_MS, 'the end of an aborted watch', this.ended);
  }
}

function textOf(event: WatchEvent): string | undefined {
  return event.value === undefined ? undefined : Buffer.from(event.value.bytes).toString();
}

/** Follows one record until the end of the sentence. */
export function follow(
  context: Context,
  path: string,
  connection: Connection = context.connection,
): Follower {
  return followed(context, (signal) => connection.watch(path, { signal }));
}

/** Follows a directory until the end of the sentence. */
export function followAll(
  context: Context,
  prefix: string,
  connection: Connection = context.connection,
): Follower {
  return followed(context, (signal) => connection.watchRecursive(prefix, { signal }));
}

function followed(
  context: Context,
  begin: (signal: AbortSignal) => AsyncIterable<WatchEvent | SyncedEvent>,
): Follower {
  const follower = new Follower(begin);
  context.after(() => follower.stop());
  return follower;
}

/**
 * `states`, of a record that holds another, larger number after each change, never go back: a number may be repeated,
 * but not once an absence was delivered after it.
 */
export function neverGoesBack(states: readonly (string | undefined)[]): void {
  let least = Number.NEGATIVE_INFINITY;
  for (const [i, state] of states.entries()) {
    if (state !== undefined) {
      assert.ok(
        Number(state) >= least,
        `${state} was delivered late, as number ${i} of ${states.join(', ')}`,
      );
      least = Number(state);
    } else if (states[i - 1] !== undefined) least += 1;
  }
}
