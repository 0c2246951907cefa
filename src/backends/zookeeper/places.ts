import type { OldPlace } from '../../legacy/places.js';
import { companionsOf, fromZnode, toZnode } from '../../legacy/zookeeper-paths.js';
import { type StoreAddress, storeName } from '../../topo/address.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { joinPath } from '../../topo/paths.js';

/** Directory of the entries of a lock in the canonical tree. */
export const LOCKS = 'locks';
/** The directory of the elections in the global store. */
export const ELECTION = 'election';

/** The name in a root, which is a cell's or `global`. */
function cellOf(root: string): string | undefined {
  return /^\/zk\/([^/]+)\/vt$/.exec(root)?.[1];
}

/**
 * What is where in one store: `path` is of the canonical tree, `native` of a znode; both are relative to the root.
 */
export class Places {
  /** Undefined: the global store. */
  readonly cell: string | undefined;
  readonly #root: string;

  private constructor(cell: string | undefined, root: string) {
    this.cell = cell;
    this.#root = root;
  }

  /** InvalidAddress where the root is not that of such a store. */
  static of(address: StoreAddress): Places {
    const name = cellOf(address.root);
    if (name !== undefined) return new Places(name === 'global' ? undefined : name, address.root);
    throw new TopologyError(ErrorCode.InvalidAddress, `${address.root} is no root of a zookeeper store`, {
      store: storeName(address),
      hint: 'it is /zk/global/vt for the global store, and /zk/CELL/vt for that of a cell',
    });
  }

  /** Of the global store. */
  static readonly global = new Places(undefined, '/zk/global/vt');

  /** What the znode at a native path is. */
  place(native: string): OldPlace {
    return fromZnode(this.znode(native))?.place ?? { is: 'stray', why: 'no path of a topology' };
  }

  /** As {@link place} and for a native path, without the root's. */
  znode(native: string): string {
    return native === '' ? this.#root : `${this.#root}/${native}`;
  }

  /** Where a record is kept. InvalidPath where the store has something else at that place. */
  native(path: string): string {
    return this.#below(toZnode({ cell: this.cell, path }));
  }

  /** {@link native}; undefined where the store has no place for such a record. */
  found(path: string): string | undefined {
    try {
      return this.native(path);
    } catch (error) {
      if (isTopologyError(error, ErrorCode.InvalidPath)) return undefined;
      throw error;
    }
  }

  /** The znodes that come with the one of a record. */
  companions(path: string): string[] {
    return companionsOf({ cell: this.cell, path }).map((znode) => this.#below(znode));
  }

  /** The directory of the entries through which processes of the time lock a canonical directory; undefined: they do not. */
  queue(dir: string): string | undefined {
    const native = this.#object(dir);
    if (native === undefined) return undefined;
    const queue = joinPath(native, 'action');
    const place = this.place(`${queue}/0000000000`);
    return place.is === 'lock' && place.of === dir ? queue : undefined;
  }

  /** The znode of an entry of a lock, or of an election, that is a record at a canonical path. */
  entry(path: string): string | undefined {
    const [, dir = '', name] = /^(.+)\/locks\/([^/]+)$/.exec(path) ?? [];
    const queue = name === undefined ? undefined : this.queue(dir);
    return queue === undefined ? undefined : joinPath(queue, name ?? '');
  }

  /** The znode of what a directory belongs to: a keyspace, a shard, a tablet, a shard of the serving graph. */
  #object(dir: string): string | undefined {
    const segments = dir.split('/');
    if (this.cell === undefined) {
      if (segments[0] !== 'keyspaces' || (segments.length !== 2 && segments.length !== 4)) return undefined;
      return dir;
    }
    if (segments[0] === 'ns') return segments.length === 3 ? dir : undefined;
    return segments[0] === 'tablets' && segments.length === 2 ? this.found(`${dir}/Tablet`) : undefined;
  }

  #below(znode: string): string {
    return znode.slice(this.#root.length + 1);
  }
}
