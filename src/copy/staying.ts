import type { Kind } from '../topo/kinds.js';
import { parentPath } from '../topo/paths.js';
import type { Entry } from './entries.js';
import type { Finding } from './findings.js';

/** Kinds whose records are the znodes of their directories in the retired `zookeeper`. */
const OF_DIRECTORIES: ReadonlySet<Kind> = new Set<Kind>(['Keyspace', 'Shard', 'Tablet']);

/** What of a plan cannot be deleted in a store whose records go last (`capabilities.goesLast`), since other records stay in their directories. */
export class Staying {
  /** Records that are to be deleted, by the directories that they are. */
  readonly #deleted = new Map<string, Entry>();
  /** A record that stays, or comes, by the directories that it keeps. */
  readonly #keeps = new Map<string, string>();

  deletes(entry: Entry): void {
    if (OF_DIRECTORIES.has(entry.kind)) this.#deleted.set(parentPath(entry.path), entry);
  }

  /** A record is there when the deletions begin, and is none of them. */
  keeps(path: string, kind: Kind | undefined): void {
    const own = parentPath(path);
    const isDirectory = kind !== undefined && OF_DIRECTORIES.has(kind);
    for (let dir = isDirectory ? parentPath(own) : own; dir !== ''; dir = parentPath(dir)) {
      if (this.#keeps.has(dir)) return;
      this.#keeps.set(dir, path);
    }
  }

  findings(): Finding[] {
    return [...this.#deleted].flatMap(([dir, { path, kind }]) => {
      const by = this.#keeps.get(dir);
      return by === undefined
        ? []
        : [{ path, kind, problem: 'stays', detail: `${by} is below it and stays` }];
    });
  }
}
