import { keyspaceIn } from '../../legacy/json-text.js';
import { describePlace, type OldPlace } from '../../legacy/places.js';
import type { CallOptions, ScanPage, StoredRecord } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import { checkPath, compareBytewise, isBelow } from '../../topo/paths.js';
import type { Beside } from '../../topo/told.js';
import type { Node } from './answers.js';
import { homesBelow, mayShareVSchemas } from './homes.js';
import { type Candidate, isHiddenStray, isRecordPlace, lockEntry, SHARED_VSCHEMAS } from './layout.js';
import { isHeld } from './lock-file.js';
import { nobodysIn } from './nobodys.js';
import { position } from './position.js';
import { readMany } from './read-many.js';
import { isVSchema, lockValue, recordOf, unreadableShared } from './record.js';
import type { EtcdStore } from './store.js';
import { findShared, type SharedFile } from './vschemas.js';

/** Records of a page, of which hidden ones cost a request each. */
const PAGE_RECORDS = 500;

/** A file that may be a record. */
interface Item {
  readonly path: string;
  readonly native: string;
  readonly place: OldPlace;
  /** Undefined: hidden, and to be asked for. */
  readonly node: Node | undefined;
}

/** What a scan found before it reads what is hidden. */
interface Survey {
  readonly items: readonly Item[];
  readonly beside: readonly Beside[];
  readonly shared: SharedFile | undefined;
  readonly position: bigint;
}

/**
 * See {@link Connection.scan}. All that can be seen is read at one moment, then each file that a directory may hide, in the order of the
 * pages.
 */
export async function* scan(
  store: EtcdStore,
  prefix: string,
  options: CallOptions | undefined,
): AsyncGenerator<ScanPage, void> {
  const survey = await look(store, prefix, options);
  const unreadable = survey.shared && unreadableShared(store, survey.shared);
  const extra = unreadable !== undefined && isBelow(unreadable.path, prefix) ? unreadable : undefined;
  let beside = survey.beside;
  const { items } = survey;
  // Of the item before which it comes.
  const place = items.findIndex(({ path }) => extra !== undefined && compareBytewise(path, extra.path) > 0);
  for (let begin = 0; begin < items.length || begin === 0; begin += PAGE_RECORDS) {
    const page = await readPage(store, survey, items.slice(begin, begin + PAGE_RECORDS), prefix, options);
    const end = begin + PAGE_RECORDS;
    const isHere = place === -1 ? end >= items.length : begin <= place && place < end;
    const records = extra !== undefined && isHere ? inOrder([...page.records, extra]) : page.records;
    beside = [...beside, ...page.beside];
    yield { records, position: survey.position, ...(beside.length === 0 ? {} : { beside }) };
    beside = [];
  }
  yield { records: [], position: await position(store, options, prefix) };
}

function inOrder(records: readonly StoredRecord[]): StoredRecord[] {
  return [...records].sort((a, b) => compareBytewise(a.path, b.path));
}

async function look(store: EtcdStore, prefix: string, options: CallOptions | undefined): Promise<Survey> {
  const { layout } = store;
  const homes = homesBelow(layout, prefix);
  const [answers, apart] = await Promise.all([
    Promise.all(homes.map((home) => store.get(home, prefix, options, { recursive: true }))),
    mayShareVSchemas(layout, prefix) ? findShared(store, prefix, options) : undefined,
  ]);
  const [root] = prefix === '' ? answers.map(({ node }) => node) : [];
  // A copy writes them after all else, and what is read afterwards is read by them.
  store.noticeCells(root?.nodes.find(({ key }) => key === layout.key('cells'))?.nodes ?? []);
  const survey = new Surveyor(store, prefix);
  for (const { node } of answers) if (node !== undefined) survey.add(node);
  survey.addShared(apart);
  await survey.addStrays(options);
  const nobodys = await nobodysIn(store, root, options);
  const index = Math.min(...answers.map((answer) => answer.index));
  const { items, beside } = survey.found();
  const { losses = [] } = apart?.told ?? {};
  const lost = {
    is: 'lost',
    native: store.layout.key(SHARED_VSCHEMAS),
    why: 'the VSchemas of all keyspaces',
    losses,
  } as const;
  return {
    items,
    beside: [...beside, ...(losses.length > 0 ? [lost] : []), ...nobodys],
    shared: apart,
    position: BigInt(index),
  };
}

/** Sorts what is below native directories. */
class Surveyor {
  readonly #store: EtcdStore;
  readonly #prefix: string;
  readonly #items = new Map<string, Item>();
  readonly #beside: Beside[] = [];
  readonly #strays: Candidate[] = [];

  constructor(store: EtcdStore, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  add(node: Node): void {
    const { layout } = this.#store;
    const native = layout.native(node.key);
    // Whoever reads this root reads the other store in it, too, which tells what it has.
    if (layout.shared && layout.isOthers(native)) return;
    if (node.value !== undefined) {
      this.#addFile(native, node);
      return;
    }
    for (const candidate of layout.candidates(native))
      if (!isHiddenStray(candidate.place)) this.#addItem({ ...candidate, node: undefined });
      else if (isUnder(native, this.#prefix)) this.#strays.push(candidate);
    for (const child of node.nodes) this.add(child);
  }

  addShared(shared: SharedFile | undefined): void {
    const { layout } = this.#store;
    for (const keyspace of shared?.vschemas.keys() ?? []) {
      const native = layout.find(`keyspaces/${keyspace}/VSchema`);
      if (native !== undefined) this.#addItem({ native, place: layout.place(native), node: undefined });
    }
  }

  /** Hidden files of no meaning that are there. */
  async addStrays(options: CallOptions | undefined): Promise<void> {
    const natives = this.#strays.map(({ native }) => native);
    const nodes = await readMany(this.#store, natives, this.#prefix, options);
    for (const [i, { place }] of this.#strays.entries()) {
      const node = nodes[i];
      if (node !== undefined) this.#leave(node, describePlace(place));
    }
  }

  found(): Pick<Survey, 'items' | 'beside'> {
    const items = [...this.#items.values()].sort((a, b) => compareBytewise(a.path, b.path));
    return { items, beside: this.#beside };
  }

  #addFile(native: string, node: Node): void {
    const place = this.#store.layout.place(native);
    if (place.is === 'vschemas') return;
    const added = this.#addItem({ native, place, node });
    if (!added && isUnder(native, this.#prefix))
      this.#leave(node, place.is === 'directory' ? 'data in a directory' : describePlace(place));
  }

  /** False: what is there is no record. */
  #addItem(item: Omit<Item, 'path'>): boolean {
    const path = pathOf(item.place);
    if (path === undefined) return false;
    if (!isLegal(path)) return false;
    if (isBelow(path, this.#prefix)) this.#items.set(item.native, { ...item, path });
    return true;
  }

  #leave({ key }: Node, why: string): void {
    this.#beside.push({ is: 'left', native: key, why, losses: [] });
  }
}

/** Path of what is at a place, for the order of a scan; undefined: no record. */
export function pathOf(place: OldPlace): string | undefined {
  switch (place.is) {
    case 'record':
    case 'raw':
    case 'addresses':
    case 'election':
      return place.path;
    case 'lock':
      return lockEntry(place.of);
    case 'derived':
      return `keyspaces/${place.keyspace}/shards/${place.shard}/${place.path}`;
    default:
      return undefined;
  }
}

function isLegal(path: string): boolean {
  try {
    checkPath(path, 'record');
    return true;
  } catch (error) {
    if (isTopologyError(error)) return false;
    throw error;
  }
}

function isUnder(native: string, prefix: string): boolean {
  return prefix === '' || native === prefix || isBelow(native, prefix);
}

interface Page {
  readonly records: StoredRecord[];
  readonly beside: Beside[];
}

async function readPage(
  store: EtcdStore,
  { shared, position: since }: Survey,
  items: readonly Item[],
  about: string,
  options: CallOptions | undefined,
): Promise<Page> {
  const hidden = items.filter(({ node }) => node === undefined).map(({ native }) => native);
  const read = await readMany(store, hidden, about, options, Number(since));
  const nodes = new Map(hidden.map((native, i) => [native, read[i]]));
  const page: Page = { records: [], beside: [] };
  for (const item of items)
    await addTo(page, store, { ...item, node: item.node ?? nodes.get(item.native) }, shared, options);
  return page;
}

async function addTo(
  page: Page,
  store: EtcdStore,
  { path, native, place, node }: Item,
  shared: SharedFile | undefined,
  options: CallOptions | undefined,
): Promise<void> {
  const key = store.layout.key(native);
  if (isRecordPlace(place)) {
    const found = await recordOf(store, place, node, isVSchema(place) ? shared : undefined, options);
    if (found === undefined) return;
    const { value, told } = found;
    if (value !== undefined) page.records.push({ path, ...value });
    else
      page.beside.push({
        is: 'lost',
        native: key,
        why: 'a record without counterpart today',
        losses: told?.losses ?? [],
        keyspace: keyspaceIn(Buffer.from(node?.value ?? '')),
      });
    return;
  }
  if (node === undefined) return;
  if (place.is === 'derived')
    page.beside.push({ is: 'derived', native: key, why: place.kind, losses: [], keyspace: place.keyspace });
  else if (place.is === 'election' || (place.is === 'lock' && isHeld(store.layout, place.of, node)))
    page.records.push({ path, ...lockValue(store, node) });
}
