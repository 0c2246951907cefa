import { companionKeys, fromKey, lockKey, toKey } from '../../legacy/etcd-paths.js';
import type { OldPlace } from '../../legacy/places.js';
import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { joinPath, parentPath } from '../../topo/paths.js';

/** The only root that Vitess had; `src/legacy` speaks of it. */
const VITESS_ROOT = '/vt';
/** Name of the file that locks a directory. */
export const LOCK = '_Lock';
/** Path of the entry that locks a directory of the canonical tree. */
export function lockEntry(directory: string): string {
  return joinPath(directory, LOCK);
}

/** Names of files that may be in a directory though no listing tells of them. */
export const HIDDEN_NAMES: readonly string[] = ['_Data', '_VSchema', LOCK];
/** The VSchemas of all keyspaces in one, as until 2016. */
export const SHARED_VSCHEMAS = 'vschema';

/** Names in a root that only a global store has a place for: all have one root. */
const OF_GLOBAL: ReadonlySet<string> = new Set(['cells', 'election', 'keyspaces', 'vschema']);
/** And those that only a cell's has. */
export const CELL_DIRECTORIES: ReadonlySet<string> = new Set(['ns', 'replication', 'tablets']);

/** The place of a file that is a record. */
export type RecordPlace = Extract<OldPlace, { is: 'record' | 'raw' | 'addresses' }>;
/** The place of a file in JSON: a record, or of the serving graph. */
export type JsonPlace = Extract<OldPlace, { is: 'record' | 'derived' }>;

export function isRecordPlace(place: OldPlace): place is RecordPlace {
  return place.is === 'record' || place.is === 'raw' || place.is === 'addresses';
}

/** Whether a place has nothing that anybody knows, but a file that no listing tells of. */
export function isHiddenStray(place: OldPlace): place is Extract<OldPlace, { is: 'stray' }> {
  return place.is === 'stray' && place.hidden === true;
}

/** A hidden file that a directory may have. */
export interface Candidate {
  /** Relative to the root. */
  readonly native: string;
  readonly place: OldPlace;
}

/** Whose store lies below a root. */
export interface Part {
  /** Undefined: the global store. */
  readonly cell: string | undefined;
  /** Whether the global store and one cell's are in this root. What neither has a place of its own for is then the global one's alone. */
  readonly shared: boolean;
}

/**
 * What the keys below one root are, in the global store or in a cell's. `native` paths are keys relative to the root, others those of the
 * canonical tree.
 */
export class Layout {
  /** For messages. */
  readonly store: string | undefined;
  readonly root: string;
  /** Undefined: the global store. */
  readonly cell: string | undefined;
  /** See {@link Part.shared}. */
  readonly shared: boolean;

  constructor(store: string | undefined, root: string, { cell, shared }: Part) {
    this.store = store;
    this.root = root;
    this.cell = cell;
    this.shared = shared;
  }

  /** The key of a native path. */
  key(native: string): string {
    if (native === '') return this.root;
    return this.root === '/' ? `/${native}` : `${this.root}/${native}`;
  }

  /** The native path of a key below the root. */
  native(key: string): string {
    return key === this.root ? '' : key.slice(this.root === '/' ? 1 : this.root.length + 1);
  }

  /** Whether a native path is of the other store in the same root, if there is one. */
  isOthers(native: string): boolean {
    const slash = native.indexOf('/');
    const first = slash < 0 ? native : native.slice(0, slash);
    if (this.cell === undefined) return this.shared && CELL_DIRECTORIES.has(first);
    return OF_GLOBAL.has(first) || (this.shared && native !== '' && !CELL_DIRECTORIES.has(first));
  }

  /** What is at a native path. */
  place(native: string): OldPlace {
    if (this.isOthers(native)) {
      const whose = this.cell === undefined ? 'a cell’s' : 'a global';
      return { is: 'stray', why: `part of ${whose} store on the same servers` };
    }
    const known = fromKey(this.cell, native === '' ? VITESS_ROOT : `${VITESS_ROOT}/${native}`);
    return known ?? { is: 'stray', why: 'no path' };
  }

  /** The native path of a record. InvalidPath where the store has no place for it. */
  record(path: string): string {
    const { cell, store } = this;
    let native: string;
    try {
      native = withoutRoot(toKey({ cell, path }));
    } catch (error) {
      if (!isTopologyError(error, ErrorCode.InvalidPath)) throw error;
      throw store === undefined ? error : error.inStore(store);
    }
    const place = this.place(native);
    if (place.is !== 'stray') return native;
    throw new TopologyError(
      ErrorCode.InvalidPath,
      `an etcd store of the old form cannot hold this: ${place.why}`,
      { path, store },
    );
  }

  /** {@link record}; undefined where the store has no place for it. */
  find(path: string): string | undefined {
    try {
      return this.record(path);
    } catch (error) {
      if (!isTopologyError(error, ErrorCode.InvalidPath)) throw error;
      return undefined;
    }
  }

  /** The native path of the lock of a directory. */
  lock(directory: string): string {
    return withoutRoot(lockKey(this.cell, directory));
  }

  /** The directory that an entry `…/_Lock` of the canonical tree locks; undefined: it is none. */
  lockedBy(path: string): string | undefined {
    return path === LOCK || path.endsWith(`/${LOCK}`) ? parentPath(path) : undefined;
  }

  /** Native paths of what comes with a record, and what they hold at first. */
  companions(path: string): [native: string, value: string][] {
    return [...companionKeys({ cell: this.cell, path })].map(([key, value]) => [withoutRoot(key), value]);
  }

  /** The hidden files that a native directory may have. */
  candidates(directory: string): Candidate[] {
    return HIDDEN_NAMES.flatMap((name) => {
      const native = directory === '' ? name : `${directory}/${name}`;
      const place = this.place(native);
      const isKnown = place.is === 'record' || place.is === 'derived' || isHiddenStray(place);
      const isThere = isKnown || this.#isLock(directory, place);
      return isThere ? [{ native, place }] : [];
    });
  }

  /** Vitess locks no tablets and no replication graphs: nobody would look there, thousands of times. */
  #isLock(directory: string, place: OldPlace): boolean {
    if (place.is !== 'lock') return false;
    return this.cell === undefined || !/^(tablets|replication)(\/|$)/.test(directory);
  }
}

function withoutRoot(key: string): string {
  return key.slice(VITESS_ROOT.length + 1);
}
