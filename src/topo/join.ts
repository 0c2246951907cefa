import type { ScanPage, StoredRecord } from './connection.js';
import { ErrorCode, TopologyError } from './errors.js';
import { compareBytewise } from './paths.js';

/** What two stores hold at one path: at least one of them something. */
export interface Pair {
  readonly path: string;
  readonly a: StoredRecord | undefined;
  readonly b: StoredRecord | undefined;
}

/** Positions of one scan: equal when nothing was written while it ran. */
export interface ScanSpan {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * Reads two scans side by side and pairs what they hold, in path order, without keeping either. Yields pages of pairs;
 * returns the positions of both scans.
 */
export async function* joinScans(
  a: AsyncIterable<ScanPage>,
  b: AsyncIterable<ScanPage>,
): AsyncGenerator<Pair[], { a: ScanSpan; b: ScanSpan }> {
  const left = new Cursor(a);
  const right = new Cursor(b);
  try {
    for (;;) {
      await Promise.all([left.fill(), right.fill()]);
      const pairs = takePairs(left, right);
      if (pairs.length === 0) return { a: left.span(), b: right.span() };
      yield pairs;
    }
  } finally {
    await Promise.allSettled([left.close(), right.close()]);
  }
}

/** Pairs up to the end of the page that ends first, so that neither side is ever compared with what is not read yet. */
function takePairs(left: Cursor, right: Cursor): Pair[] {
  const pairs: Pair[] = [];
  for (;;) {
    const a = left.peek();
    const b = right.peek();
    if ((a === undefined && !left.done) || (b === undefined && !right.done)) return pairs;
    if (a === undefined && b === undefined) return pairs;
    const order = a === undefined ? 1 : b === undefined ? -1 : compareBytewise(a.path, b.path);
    if (order <= 0) left.skip();
    if (order >= 0) right.skip();
    pairs.push({
      path: (order <= 0 ? a?.path : b?.path) ?? '',
      a: order <= 0 ? a : undefined,
      b: order >= 0 ? b : undefined,
    });
  }
}

/** One scan, read a page ahead. */
class Cursor {
  done = false;
  readonly #pages: AsyncIterator<ScanPage>;
  #records: readonly StoredRecord[] = [];
  #index = 0;
  #ahead: Promise<IteratorResult<ScanPage>> | undefined;
  #lastPath: string | undefined;
  #first: bigint | undefined;
  #last = 0n;

  constructor(pages: AsyncIterable<ScanPage>) {
    this.#pages = pages[Symbol.asyncIterator]();
    this.#request();
  }

  /** Waits until {@link peek} has a record, or the scan is at its end. */
  async fill(): Promise<void> {
    while (!this.done && this.#index >= this.#records.length) {
      const result = await (this.#ahead ?? this.#request());
      this.#ahead = undefined;
      if (result.done === true) {
        this.done = true;
        return;
      }
      this.#request();
      this.#first ??= result.value.position;
      this.#last = result.value.position;
      this.#records = result.value.records;
      this.#index = 0;
    }
  }

  peek(): StoredRecord | undefined {
    return this.#records[this.#index];
  }

  skip(): void {
    const path = this.#records[this.#index]?.path ?? '';
    if (this.#lastPath !== undefined && compareBytewise(this.#lastPath, path) >= 0) {
      throw new TopologyError(
        ErrorCode.Corrupt,
        `a scan gave paths out of order: ${path} after ${this.#lastPath}`,
        { path },
      );
    }
    this.#lastPath = path;
    this.#index += 1;
  }

  span(): ScanSpan {
    return { first: this.#first ?? 0n, last: this.#last };
  }

  async close(): Promise<void> {
    await this.#ahead?.catch(() => {});
    await this.#pages.return?.();
  }

  #request(): Promise<IteratorResult<ScanPage>> {
    const ahead = this.#pages.next();
    // A failure is raised by the fill() that waits for it, or by none after close().
    ahead.catch(() => {});
    this.#ahead = ahead;
    return ahead;
  }
}
