import { createHash, hash } from 'node:crypto';
import type { StoredRecord } from '../topo/connection.js';
import type { Kind } from '../topo/kinds.js';
import { compareBytewise } from '../topo/paths.js';

/**
 * A hash tree (SHA-256) over what one side holds. A record: the length of its path in bytes as four bytes, big end first, the path,
 * the bytes. A group, the records of one kind in one keyspace: the hashes of its records, in byte order of their paths. A part, and
 * the whole side: name, a zero byte and hash, in hexadecimal, of each group (`KEYSPACE/KIND`) or part, each ended by a newline, in byte order of the names.
 */
export interface GroupDigest {
  readonly records: number;
  /** In hexadecimal, as all hashes. */
  readonly digest: string;
}

/** The records of one kind in one keyspace, on both sides. */
export interface Group {
  /** `KEYSPACE/KIND`, `/KIND` for what belongs to no keyspace by its path. */
  readonly name: string;
  readonly source: GroupDigest;
  readonly destination: GroupDigest;
}

/** Hash of groups or parts by their names. */
export function digestOf(children: readonly (readonly [name: string, digest: string])[]): string {
  const hash = createHash('sha256');
  for (const [name, digest] of children.toSorted(([a], [b]) => compareBytewise(a, b)))
    hash.update(`${name}\0${digest}\n`);
  return hash.digest('hex');
}

/** The name of the group that a record belongs to. */
export function groupOf(kind: Kind, path: string): string {
  const [directory, keyspace, ...more] = path.split('/');
  return `${directory === 'keyspaces' && more.length > 0 ? keyspace : ''}/${kind}`;
}

/** Where the hashes of a path are, to be replaced. */
export interface Slot {
  readonly group: string;
  readonly index: number;
}

type Sides = readonly [source: StoredRecord | undefined, destination: StoredRecord | undefined];

/** The hashes of one part of both sides. Paths come in byte order. */
export class PartDigest {
  readonly #groups = new Map<string, readonly [Hashes, Hashes]>();

  /** Takes what both sides hold at a path; undefined: nothing, or nothing that is compared. */
  add(kind: Kind, path: string, [source, destination]: Sides): Slot {
    const group = groupOf(kind, path);
    let hashes = this.#groups.get(group);
    if (hashes === undefined) {
      hashes = [new Hashes(), new Hashes()];
      this.#groups.set(group, hashes);
    }
    hashes[0].push(source);
    return { group, index: hashes[1].push(destination) };
  }

  /** Takes what a path that was added came to hold. */
  replace({ group, index }: Slot, records: Sides): void {
    for (const [side, hashes] of (this.#groups.get(group) ?? []).entries()) hashes.set(index, records[side]);
  }

  groups(): Group[] {
    return [...this.#groups]
      .map(([name, [source, destination]]) => ({
        name,
        source: source.digest(),
        destination: destination.digest(),
      }))
      .sort((a, b) => compareBytewise(a.name, b.name));
  }
}

const SIZE = 32;

/** Hashes of records in one block of memory: there may be millions. */
class Hashes {
  #block = Buffer.alloc(64 * SIZE);
  #count = 0;
  readonly #holes = new Set<number>();

  push(record: StoredRecord | undefined): number {
    const index = this.#count++;
    if (this.#count * SIZE > this.#block.byteLength)
      this.#block = Buffer.concat([this.#block], this.#block.byteLength * 2);
    this.set(index, record);
    return index;
  }

  set(index: number, record: StoredRecord | undefined): void {
    if (record === undefined) this.#holes.add(index);
    else {
      this.#holes.delete(index);
      recordHash(record).copy(this.#block, index * SIZE);
    }
  }

  digest(): GroupDigest {
    const hash = createHash('sha256');
    if (this.#holes.size === 0) hash.update(this.#block.subarray(0, this.#count * SIZE));
    else
      for (let index = 0; index < this.#count; index++)
        if (!this.#holes.has(index)) hash.update(this.#block.subarray(index * SIZE, (index + 1) * SIZE));
    return { records: this.#count - this.#holes.size, digest: hash.digest('hex') };
  }
}

/** A record as it is hashed; used again for each. */
let hashed: Buffer = Buffer.alloc(4_096);

function recordHash({ path, bytes }: StoredRecord): Buffer {
  const length = Buffer.byteLength(path);
  const total = 4 + length + bytes.byteLength;
  if (total > hashed.length) hashed = Buffer.alloc(2 * total);
  hashed.writeUInt32BE(length);
  hashed.write(path, 4);
  hashed.set(bytes, 4 + length);
  // One call where an object for each record would take most of the time.
  return hash('sha256', hashed.subarray(0, total), 'buffer');
}
