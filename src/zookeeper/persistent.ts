import type { PersistentWatchEvent, PersistentWatcher } from './client.js';
import { badArguments } from './errors.js';

/** What a watch is for: a node's data and existence, or its list of children. */
export type WatchKind = 'data' | 'children';

/** One caller's watch: asked for, then armed, then over. */
export interface Claim {
  /** The server has taken it: from here on events are told. */
  arm(): void;
  /** Ends it. Gives whether a watch that nobody else has is left at the server. */
  release(): boolean;
}

interface Place {
  readonly recursive: boolean;
  /** Callers that have asked and have not got their answer, and those whose watch is alive. */
  claims: number;
  readonly tell: Set<(event: PersistentWatchEvent) => void>;
}

/** The persistent watches of a client. A server has one for each path, whoever of this client's callers wants it. */
export class PersistentWatches {
  readonly #places = new Map<string, Place>();

  /** Throws BadArguments when the path has a watch of the other kind. */
  claim(path: string, recursive: boolean, watcher: PersistentWatcher): Claim {
    const place = this.#places.get(path) ?? { recursive, claims: 0, tell: new Set() };
    if (place.recursive !== recursive) {
      const present = place.recursive ? 'recursive' : 'plain';
      throw badArguments(`addWatch ${path}: this client has a ${present} watch there already`, path);
    }
    this.#places.set(path, place);
    place.claims++;
    let held = true;
    let muted = false;
    const give = (): void => {
      held = false;
      place.claims--;
      if (place.claims === 0) this.#places.delete(path);
    };
    const tell = (event: PersistentWatchEvent): void => {
      if (event.signal === 'lost') give();
      // Not at once: a watcher that throws harms no connection.
      queueMicrotask(() => {
        if (!muted) watcher(event);
      });
    };
    return {
      arm: () => {
        if (held) place.tell.add(tell);
      },
      release: () => {
        muted = true;
        if (!held) return false;
        place.tell.delete(tell);
        give();
        return place.claims === 0;
      },
    };
  }

  /**
   * Whether the server tells of all that a one-shot watch of this kind would, without being asked for one. Before 3.9 it
   * must not be asked: the one-shot watch would take the persistent one's place.
   */
  covers(kind: WatchKind, path: string): boolean {
    const place = this.#places.get(path);
    return place !== undefined && !(place.recursive && kind === 'children');
  }

  /** Whether the server has a watch on the path. */
  isArmed(path: string): boolean {
    return (this.#places.get(path)?.tell.size ?? 0) > 0;
  }

  /** Tells of one event of the server. */
  fire({ signal, path, zxid }: PersistentWatchEvent): void {
    for (let at: string | undefined = path; at !== undefined; at = parentOf(at)) {
      const place = this.#places.get(at);
      if (place === undefined) continue;
      // The list of children of a node is no concern of a recursive watch: servers send it for the others.
      if (place.recursive ? signal === 'childrenChanged' : at !== path) continue;
      for (const tell of place.tell) tell({ signal, path, zxid });
    }
  }

  /** Tells every watcher `lost`. */
  lose(): void {
    for (const [path, place] of [...this.#places]) {
      const all = [...place.tell];
      place.tell.clear();
      for (const tell of all) tell({ signal: 'lost', path, zxid: 0n });
    }
  }
}

function parentOf(path: string): string | undefined {
  if (path === '/') return undefined;
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
