import { formatAddress, type StoreAddress } from '../address.js';
import { encode } from '../codec.js';
import type {
  CallOptions,
  Connection,
  DirEntry,
  ScanPage,
  StoredRecord,
  SyncedEvent,
  Value,
  WatchEvent,
} from '../connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../errors.js';
import { compareBytewise, isBelow } from '../paths.js';
import { recordExists } from '../refusals.js';
import { Version } from '../version.js';
import { type Call, type Change, DelegatingConnection } from './base.js';

/**
 * A global store as `inner`, which also shows a CellInfo for each of these cells that it has no such record of: the topology was opened by a
 * configuration that says where they are. These records cannot be written: NodeExists for a creation, else Unsupported. What the
 * store has of its own is read and written as ever, and counts.
 */
export function withConfiguredCells(inner: Connection, cells: ReadonlyMap<string, StoreAddress>): Connection {
  return cells.size === 0 ? inner : new ConfiguredConnection(inner, cells);
}

class ConfiguredConnection extends DelegatingConnection {
  /** By path, in byte order. */
  readonly #configured: ReadonlyMap<string, StoredRecord>;

  constructor(inner: Connection, cells: ReadonlyMap<string, StoreAddress>) {
    super(inner);
    const records = [...cells].map(([cell, address]) => recordOf(inner.store, cell, address));
    records.sort((a, b) => compareBytewise(a.path, b.path));
    this.#configured = new Map(records.map((record) => [record.path, record]));
  }

  override async get(path: string, options?: CallOptions): Promise<Value> {
    const configured = this.#configured.get(path);
    try {
      return await super.get(path, options);
    } catch (error) {
      if (configured === undefined || !isTopologyError(error, ErrorCode.NoNode)) throw error;
      return valueIn(configured);
    }
  }

  override async listDir(path: string, options?: CallOptions): Promise<string[]> {
    const names = this.#namesIn(path);
    const own = await orNone(super.listDir(path, options), names.size > 0);
    return [...new Set([...own, ...names.keys()])].sort(compareBytewise);
  }

  override async listDirFull(path: string, options?: CallOptions): Promise<DirEntry[]> {
    const names = this.#namesIn(path);
    const own = await orNone(super.listDirFull(path, options), names.size > 0);
    const entries = new Map(own.map((entry) => [entry.name, entry]));
    for (const [name, type] of names) {
      // A directory stays one, and a record of the store's own keeps its say of what it is.
      if (type === 'directory' || !entries.has(name)) entries.set(name, { name, type, ephemeral: false });
    }
    return [...entries.values()].sort((a, b) => compareBytewise(a.name, b.name));
  }

  override async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage, undefined> {
    const ahead = [...this.#configured.values()].filter(({ path }) => isBelow(path, prefix));
    let held: ScanPage | undefined;
    for await (const page of super.scan(prefix, options)) {
      if (held !== undefined) yield held;
      held = { ...page, records: merged(ahead, page.records) };
    }
    if (held !== undefined) yield { ...held, records: [...held.records, ...ahead] };
  }

  override async *watch(path: string, options?: CallOptions): AsyncGenerator<WatchEvent, undefined> {
    for await (const event of super.watch(path, options)) yield this.#shown(event);
  }

  override async *watchRecursive(
    prefix: string,
    options?: CallOptions,
  ): AsyncGenerator<WatchEvent | SyncedEvent, undefined> {
    const missing = new Map([...this.#configured].filter(([path]) => isBelow(path, prefix)));
    for await (const event of super.watchRecursive(prefix, options)) {
      if (event.type === 'record') {
        missing.delete(event.path);
        yield this.#shown(event);
        continue;
      }
      for (const [path, record] of missing) yield { type: 'record', path, value: valueIn(record) };
      yield event;
    }
  }

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    for (const [at, change] of (call.kind === 'write' ? call.changes : []).entries())
      if (this.#configured.has(change.path))
        await this.#checkChange(change, call.path === undefined ? at : undefined, options);
    return next(options);
  }

  /** Names that the configured records give a directory, and what each is. */
  #namesIn(directory: string): Map<string, 'file' | 'directory'> {
    const found = new Map<string, 'file' | 'directory'>();
    for (const path of this.#configured.keys()) {
      if (!isBelow(path, directory)) continue;
      const [name = '', ...more] = path.slice(directory === '' ? 0 : directory.length + 1).split('/');
      found.set(name, more.length === 0 ? 'file' : 'directory');
    }
    return found;
  }

  #shown(event: WatchEvent): WatchEvent {
    const configured = event.value === undefined ? this.#configured.get(event.path) : undefined;
    return configured === undefined ? event : { ...event, value: valueIn(configured) };
  }

  /** Lets through what is about a record of the store's own. */
  async #checkChange(
    { type, path }: Change,
    index: number | undefined,
    options: CallOptions | undefined,
  ): Promise<void> {
    if (this.inner.capabilities.readOnly) return;
    const own = await this.inner.get(path, options).then(
      () => true,
      (error: unknown) => {
        if (isTopologyError(error, ErrorCode.NoNode)) return false;
        throw error;
      },
    );
    if (own) return;
    const refused = type === 'create' ? recordExists(this, path) : inConfiguration(path, this.store);
    throw index === undefined ? refused : refused.at(index);
  }
}

function inConfiguration(path: string, store: string): TopologyError {
  return new TopologyError(
    ErrorCode.Unsupported,
    'this cell is in the client configuration, not in the store',
    {
      path,
      store,
      hint: 'change the configuration file that the topology was opened by',
    },
  );
}

function recordOf(store: string, cell: string, address: StoreAddress): StoredRecord {
  const { server, root } = address;
  return {
    path: `cells/${cell}/CellInfo`,
    bytes: encode('topodata.CellInfo', { server_address: server, root }),
    version: Version.of(store, `configured ${formatAddress(address)}`),
    ephemeral: false,
  };
}

function valueIn({ bytes, version, ephemeral }: StoredRecord): Value {
  return { bytes, version, ephemeral };
}

/** Records with those of `ahead` that come before the last of them; these are taken from `ahead`. One that is in both is the store's own. */
function merged(ahead: StoredRecord[], records: readonly StoredRecord[]): StoredRecord[] {
  const found: StoredRecord[] = [];
  for (const record of records) {
    while (ahead[0] !== undefined && compareBytewise(ahead[0].path, record.path) < 0)
      found.push(...ahead.splice(0, 1));
    if (ahead[0]?.path === record.path) ahead.shift();
    found.push(record);
  }
  return found;
}

/** A listing; nothing where there is no such directory and that is all right. */
async function orNone<T>(listing: Promise<readonly T[]>, mayBeAbsent: boolean): Promise<readonly T[]> {
  try {
    return await listing;
  } catch (error) {
    if (mayBeAbsent && isTopologyError(error, ErrorCode.NoNode)) return [];
    throw error;
  }
}
