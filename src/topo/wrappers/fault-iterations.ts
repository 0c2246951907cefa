import type { ScanPage } from '../connection.js';

/** Other pages than those of a scan, which is begun and left; `done` is called when it turned out to be legal. */
export async function* inPlaceOf(
  scan: AsyncIterable<ScanPage>,
  pages: (first: ScanPage) => readonly ScanPage[],
  done: (() => void) | undefined,
): AsyncGenerator<ScanPage> {
  for await (const first of scan) {
    done?.();
    yield* pages(first);
    return;
  }
}

/** The first item, where there are any, and then what `end` throws. */
export async function* cutOff<T>(
  items: AsyncIterable<T> | undefined,
  end: () => Promise<never>,
): AsyncGenerator<T> {
  for await (const item of items ?? []) {
    yield item;
    break;
  }
  await end();
}

/** The items, of which the first is asked for once `wait` is over. */
export function begunAfter<T>(items: AsyncIterable<T>, wait: () => Promise<void>): AsyncIterable<T> {
  // By hand and not as a generator, whose `return` would wait for an event that may never come.
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]();
      let waited: Promise<void> | undefined;
      return {
        async next() {
          waited ??= wait();
          await waited;
          return iterator.next();
        },
        async return() {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
