import type { MemoryStore } from '../../src/backends/memory/store.js';
import { ZooKeeperStore } from '../../src/backends/memory/zookeeper.js';
import type { Rival, Rivals } from '../conformance/subject.js';

/** One product's recipe for a lock whose entries are at `place`. */
interface Recipe {
  /** Stands in line, or takes the lock, at most once; gives the key of its entry, undefined when it cannot yet. */
  enter(store: MemoryStore, place: string, contents: string, session: string): string | undefined;
  /** Key of the entry that holds the lock. */
  holder(store: MemoryStore, place: string): string | undefined;
}

const zookeeper: Recipe = {
  enter: (store, place, contents, session) =>
    store instanceof ZooKeeperStore
      ? store.putSequential(`${place}/`, Buffer.from(contents), session)
      : undefined,
  holder: (store, place) =>
    store
      .recordsBelow(place)
      .map(({ key }) => key)
      .sort()[0],
};

const etcd: Recipe = {
  enter: (store, place, contents, session) => {
    const key = `${place}/${BigInt(`0x${session}`)}`;
    store.putEphemeral(key, Buffer.from(contents), session);
    return key;
  },
  holder: (store, place) =>
    store.recordsBelow(place).sort((a, b) => a.item.modified - b.item.modified)[0]?.key,
};

const consul: Recipe = {
  enter: (store, place, contents, session) => {
    try {
      store.putEphemeral(place, Buffer.from(contents), session);
      return place;
    } catch {
      return undefined;
    }
  },
  holder: (store, place) => ((store.record(place)?.owner ?? '') === '' ? undefined : place),
};

/** Where each product's recipe keeps the lock of a directory, and an election. */
const PLACES = {
  zookeeper: { recipe: zookeeper, lock: '/locks', election: '' },
  etcd: { recipe: etcd, lock: '/locks', election: '/locks' },
  consul: { recipe: consul, lock: '/Lock', election: '' },
} as const;

/** Rivals that speak to the model of the server itself. */
export function memoryRivals(flavour: keyof typeof PLACES, store: () => MemoryStore): Rivals {
  const { recipe, lock, election } = PLACES[flavour];
  const key = (root: string, path: string) => `${root.replace(/^\//, '')}/${path}`;
  return {
    lock: async (root, dir, contents) => rival(store(), recipe, `${key(root, dir)}${lock}`, contents),
    campaign: async (root, name, id) =>
      rival(store(), recipe, `${key(root, `elections/${name}`)}${election}`, id),
  };
}

function rival(store: MemoryStore, recipe: Recipe, place: string, contents: string): Rival {
  const session = store.openSession({ lockDelayMs: 0 });
  let entry = recipe.enter(store, place, contents, session);
  return {
    async holds() {
      entry ??= recipe.enter(store, place, contents, session);
      return entry !== undefined && recipe.holder(store, place) === entry;
    },
    async holder() {
      const key = recipe.holder(store, place);
      return key === undefined ? undefined : Buffer.from(store.record(key)?.bytes ?? []).toString();
    },
    async release() {
      // The recipes delete the entry, and on ZooKeeper the directories that this leaves empty.
      if (entry !== undefined && store.record(entry)?.owner === session)
        for (const _ of store.write([{ type: 'delete', key: entry, token: null }], ''));
      store.expireSession(session);
    },
    async die() {
      store.expireSession(session);
    },
  };
}

/** Plants the entry of a lock that nobody owns. */
export function memoryOrphan(
  flavour: keyof typeof PLACES,
  store: MemoryStore,
  place: string,
  contents: string,
): void {
  const key = `${place.replace(/^\//, '')}${PLACES[flavour].lock}`;
  const bytes = Buffer.from(contents);
  if (flavour === 'consul') {
    const session = store.openSession({ lockDelayMs: 0, behavior: 'release' });
    store.putEphemeral(key, bytes, session);
    store.expireSession(session);
  } else for (const _ of store.put(`${key}/0000000042`, bytes, ''));
}
