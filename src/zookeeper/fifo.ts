/** A queue in which both ends cost the same whatever its length. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  shift(): T | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#items.length) this.#reset([]);
    else if (this.#head >= 1024 && 2 * this.#head > this.#items.length) {
      this.#reset(this.#items.slice(this.#head));
    }
    return item;
  }

  /** Keeps what `wanted` says, in order. */
  keep(wanted: (item: T) => boolean): void {
    this.#reset(this.#items.slice(this.#head).filter(wanted));
  }

  /** All items, oldest first; the queue is empty afterwards. */
  drain(): T[] {
    const items = this.#items.slice(this.#head);
    this.#reset([]);
    return items;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let i = this.#head; i < this.#items.length; i++) {
      const item = this.#items[i];
      if (item !== undefined) yield item;
    }
  }

  #reset(items: T[]): void {
    this.#items = items;
    this.#head = 0;
  }
}
