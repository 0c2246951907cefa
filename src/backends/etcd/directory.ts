import type { CallOptions, DirEntry } from '../../topo/connection.js';
import { compareBytewise, isBelow, joinPath, parentPath } from '../../topo/paths.js';
import type { Answer, Node } from './answers.js';
import { noDirectory } from './error.js';
import { canonicalDirectories, homesBelow, isLasting, mayShareVSchemas } from './homes.js';
import { isRecordPlace, lockEntry } from './layout.js';
import { isHeld } from './lock-file.js';
import { readMany } from './read-many.js';
import { scan } from './scan.js';
import type { EtcdStore } from './store.js';
import { findShared } from './vschemas.js';

export async function listDir(store: EtcdStore, path: string, options: CallOptions): Promise<string[]> {
  const listing = await list(store, path, false, options);
  return [...listing.keys()].sort(compareBytewise);
}

export async function listDirFull(store: EtcdStore, path: string, options: CallOptions): Promise<DirEntry[]> {
  const listing = await list(store, path, true, options);
  const names = [...listing].sort(([a], [b]) => compareBytewise(a, b));
  return Promise.all(
    names.map(async ([name, { type, lasts }]) => {
      const ephemeral =
        !lasts && (type === 'file' || (await isEphemeral(store, joinPath(path, name), options)));
      return { name, type, ephemeral };
    }),
  );
}

/** Whether all records below a directory go away by themselves, and there are any. */
async function isEphemeral(store: EtcdStore, path: string, options: CallOptions): Promise<boolean> {
  let some = false;
  for await (const { records } of scan(store, path, options)) {
    if (records.some(({ ephemeral }) => !ephemeral)) return false;
    some ||= records.length > 0;
  }
  return some;
}

/** A name in a directory of the canonical tree. */
interface Entry {
  type: DirEntry['type'];
  /** It is known that something of it does not go away by itself. */
  lasts: boolean;
}

/** @param deep whether to look at what is below the names, too */
async function list(
  store: EtcdStore,
  path: string,
  deep: boolean,
  options: CallOptions,
): Promise<Map<string, Entry>> {
  const { layout } = store;
  const homes = homesBelow(layout, path);
  // What is in a keyspace is told apart by what is in it.
  const recursive = deep || (layout.cell === undefined && /^keyspaces\/[^/]+(\/shards)?$/.test(path));
  const [answers, shared] = await Promise.all([
    Promise.all(homes.map((home) => store.get(home, path, options, { recursive }))),
    mayShareVSchemas(layout, path) ? findShared(store, path, options) : undefined,
  ]);
  const listing = new Listing(store, path);
  for (const answer of answers) await addHome(listing, store, answer, options);
  for (const keyspace of shared?.vschemas.keys() ?? [])
    listing.addRecord(`keyspaces/${keyspace}/VSchema`, true);
  if (!listing.exists && listing.entries.size === 0) throw noDirectory(store.context, path);
  return listing.entries;
}

async function addHome(
  listing: Listing,
  store: EtcdStore,
  { node }: Answer,
  options: CallOptions,
): Promise<void> {
  if (node === undefined) return;
  if (node.value !== undefined) {
    listing.addFile(node);
    return;
  }
  const { layout } = store;
  // Of those that are in a keyspace it is to be known whether they are shards.
  const shards = node.nodes.filter((child) => mayBeBoth(store, child));
  const directories = [node, ...shards];
  const candidates = [
    ...directories.flatMap(({ key }) => layout.candidates(layout.native(key))),
    // A record may stand higher than its file: SrvVSchema.
    ...node.nodes
      .filter(isDirectory)
      .flatMap(({ key }) =>
        layout
          .candidates(layout.native(key))
          .filter(({ place }) => isRecordPlace(place) && parentPath(place.path) === listing.path),
      ),
  ];
  const found = await readMany(
    store,
    candidates.map(({ native }) => native),
    listing.path,
    options,
  );
  const hidden = new Set<string>();
  for (const [i, { native, place }] of candidates.entries()) {
    const file = found[i];
    if (file === undefined) continue;
    hidden.add(native.slice(0, Math.max(0, native.lastIndexOf('/'))));
    if (isRecordPlace(place)) listing.addRecord(place.path, true);
    else if (place.is === 'lock' && isHeld(layout, place.of, file))
      listing.addRecord(lockEntry(place.of), false);
  }
  listing.addTree(node, hidden);
}

function isDirectory({ value }: Node): boolean {
  return value === undefined;
}

/** A directory in a keyspace that has visible files: a shard, or one like any other, or both. */
function mayBeBoth({ layout }: EtcdStore, { key, value, nodes }: Node): boolean {
  return (
    layout.cell === undefined &&
    value === undefined &&
    nodes.length > 0 &&
    /^keyspaces\/[^/]+\/[^/]+$/.test(layout.native(key))
  );
}

class Listing {
  readonly entries = new Map<string, Entry>();
  readonly path: string;
  readonly #store: EtcdStore;
  /** Whether there is such a directory, empty or not. */
  exists = false;

  constructor(store: EtcdStore, path: string) {
    this.#store = store;
    this.path = path;
  }

  /** @param hidden native directories that have hidden files */
  addTree(node: Node, hidden: ReadonlySet<string>): void {
    if (node.value !== undefined) {
      this.addFile(node);
      return;
    }
    const { layout } = this.#store;
    const native = layout.native(node.key);
    const has = { visible: node.nodes.length > 0, hidden: hidden.has(native) };
    for (const path of canonicalDirectories(layout, native, has)) {
      if (path === this.path) this.exists = true;
      else this.#add(`${path}/`, isLasting(layout, path));
    }
    for (const child of node.nodes) this.addTree(child, hidden);
  }

  addFile(node: Node): void {
    const { layout } = this.#store;
    const place = layout.place(layout.native(node.key));
    if (isRecordPlace(place)) this.addRecord(place.path, node.ttl === undefined);
    else if (place.is === 'election') this.addRecord(place.path, false);
  }

  addRecord(path: string, lasts: boolean): void {
    this.#add(path, lasts);
  }

  /** @param path with a slash at its end: a directory */
  #add(path: string, lasts: boolean): void {
    if (!isBelow(path, this.path)) return;
    const from = this.path === '' ? 0 : this.path.length + 1;
    const slash = path.indexOf('/', from);
    const name = path.slice(from, slash < 0 ? undefined : slash);
    const entry = this.entries.get(name) ?? { type: 'file', lasts: false };
    if (slash >= 0) entry.type = 'directory';
    entry.lasts ||= lasts;
    this.entries.set(name, entry);
  }
}
