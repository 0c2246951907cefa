import type { Decoded } from './decoded.js';
import { type ShardName, shardOf } from './shards.js';

/** How many records there are of each kind, and of each kind in each shard: what guards compare. */
export class Tally {
  readonly #counts = new Map<string, number>();
  /** Names of parts, by kind, keyspace and shard: put together once, and not for every record. */
  readonly #names = new Map<string, Map<string, Map<string, string>>>();
  /** What was added last, and how often in a row: that is not in the counts yet, since most records are as the one before. */
  #run = { kind: '', shard: undefined as ShardName | undefined, length: 0 };

  /** From what {@link Tally.toJSON} gave. */
  static from(counts: Readonly<Record<string, number>>): Tally {
    const tally = new Tally();
    for (const [part, number] of Object.entries(counts)) tally.#counts.set(part, number);
    return tally;
  }

  add(decoded: Decoded): void {
    const { kind } = decoded.row;
    const shard = shardOf(decoded);
    if (kind !== this.#run.kind || !isSameShard(shard, this.#run.shard)) {
      this.#settle();
      this.#run = { kind, shard, length: 0 };
    }
    this.#run.length += 1;
  }

  /** Parts (`Tablet`, `Tablet of commerce/0`) and how many records each has. */
  entries(): Iterable<[part: string, number: number]> {
    return this.#settle();
  }

  /** Records of a part; 0 for one that there is not. */
  of(part: string): number {
    return this.#settle().get(part) ?? 0;
  }

  toJSON(): Record<string, number> {
    return Object.fromEntries(this.#settle());
  }

  /** All counts, the run included. */
  #settle(): Map<string, number> {
    const { kind, shard, length } = this.#run;
    if (length > 0) {
      this.#run.length = 0;
      this.#increase(kind, length);
      if (shard !== undefined) this.#increase(this.#nameOf(kind, shard), length);
    }
    return this.#counts;
  }

  #nameOf(kind: string, { keyspace, shard }: ShardName): string {
    const keyspaces = made(this.#names, kind, () => new Map<string, Map<string, string>>());
    const shards = made(keyspaces, keyspace, () => new Map<string, string>());
    return made(shards, shard, () => `${kind} of ${keyspace}/${shard}`);
  }

  #increase(part: string, by: number): void {
    this.#counts.set(part, (this.#counts.get(part) ?? 0) + by);
  }
}

function isSameShard(a: ShardName | undefined, b: ShardName | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.shard === b.shard && a.keyspace === b.keyspace;
}

function made<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
