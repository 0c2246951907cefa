import type { StoreAddress } from '../topo/address.js';
import type { Stores } from '../topo/backend.js';
import { CheckedConnection } from '../topo/checked.js';
import type { Clock } from '../topo/clock.js';
import type { Capabilities, Connection, ScanPage, StoredRecord } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { compareBytewise, isBelow } from '../topo/paths.js';
import { Version } from '../topo/version.js';
import { digestOf } from './manifest.js';
import type { TreeRecord } from './read-tree.js';

/** The records of a tree as stores that can only be read, so that a copy can begin with them. */
export function treeStores(records: readonly TreeRecord[], clock: Clock): Stores {
  return {
    async open(address, scope) {
      return treeConnection(
        address,
        records.filter((record) => record.scope === scope),
        clock,
      );
    },
    openNative: (address) => Promise.reject(unsupported(address)),
    health: () => Promise.resolve(undefined),
    cellAddress: (global, cell) => Promise.resolve({ ...global, root: `/${cell}` }),
  };
}

/** Where a tree is. */
export function treeAddress(folder: string): StoreAddress {
  return { implementation: 'file', server: folder, root: '/global' };
}

const PAGE = 1_000;

const CAPABILITIES: Capabilities = {
  batch: { maxOps: 0, maxBytes: 0 },
  maxValueBytes: 0,
  maxPathBytes: Number.MAX_SAFE_INTEGER,
  history: false,
  watchRecursive: false,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  locks: 'none',
  fencing: false,
  seal: false,
  durable: true,
  readOnly: true,
};

function treeConnection(address: StoreAddress, found: readonly TreeRecord[], clock: Clock): Connection {
  const store = `tree:${address.server}#${address.root}`;
  const records: StoredRecord[] = found
    .map(({ path, bytes }) => ({
      path,
      bytes,
      version: Version.of(store, digestOf(bytes)),
      ephemeral: false,
    }))
    .sort((a, b) => compareBytewise(a.path, b.path));
  const byPath = new Map(records.map((record) => [record.path, record]));
  const never = (): never => {
    throw unsupported(address);
  };
  const namesIn = (dir: string) => {
    const from = dir === '' ? 0 : dir.length + 1;
    const below = records.filter(({ path }) => isBelow(path, dir));
    if (below.length === 0) throw absent(store, dir);
    return [...new Set(below.map(({ path }) => path.slice(from).split('/')[0] ?? ''))].sort(compareBytewise);
  };
  return new CheckedConnection({
    context: { store, clock, defaultTimeoutMs: 10_000 },
    root: address.root,
    capabilities: CAPABILITIES,
    listDir: async (dir) => namesIn(dir),
    listDirFull: never,
    async get(path) {
      const record = byPath.get(path);
      if (record === undefined) throw absent(store, path);
      return record;
    },
    async *scan(prefix): AsyncGenerator<ScanPage> {
      const below = records.filter(({ path }) => isBelow(path, prefix));
      for (let at = 0; at === 0 || at < below.length; at += PAGE)
        yield { records: below.slice(at, at + PAGE), position: 0n };
    },
    create: never,
    update: never,
    delete: never,
    write: never,
    watch: never,
    watchRecursive: never,
    acquire: never,
    lockQueue: never,
    leader: never,
    watchLeader: never,
    position: () => Promise.resolve(0n),
    identity: () => Promise.resolve({ servers: store, root: undefined }),
    close: () => Promise.resolve(),
  });
}

function absent(store: string, path: string): TopologyError {
  return new TopologyError(ErrorCode.NoNode, 'the tree has nothing here', { path, store });
}

function unsupported({ server }: StoreAddress): TopologyError {
  return new TopologyError(ErrorCode.Unsupported, 'a tree of files is only read', { store: server });
}
