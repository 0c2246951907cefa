import type { Kind } from '../topo/kinds.js';
import { groupOf } from '../verify/digest.js';

/** How many records there are in each group of a certificate: of one kind in one keyspace. */
export class GroupCounts {
  readonly #counts = new Map<string, number>();

  add(kind: Kind, path: string): void {
    const group = groupOf(kind, path);
    this.#counts.set(group, (this.#counts.get(group) ?? 0) + 1);
  }

  of(group: string): number {
    return this.#counts.get(group) ?? 0;
  }
}

/** A group in words: `Shard of commerce`, `Tablet`. */
export function groupTitle(name: string): string {
  const [keyspace = '', kind = ''] = name.split('/');
  return keyspace === '' ? kind : `${kind} of ${keyspace}`;
}
