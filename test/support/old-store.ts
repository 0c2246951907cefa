import { OLD_MESSAGES, type OldKind } from '../../src/legacy/places.js';
import { readOld } from '../../src/legacy/read.js';
import { writeSecond } from '../../src/legacy/second-write.js';
import { writeOld } from '../../src/legacy/write.js';
import type { StoreAddress } from '../../src/topo/address.js';
import type { Stores } from '../../src/topo/backend.js';
import type {
  CallOptions,
  Capabilities,
  Connection,
  ScanPage,
  StoredRecord,
  SyncedEvent,
  Value,
  WatchEvent,
  WriteOp,
  WriteOptions,
} from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { classify } from '../../src/topo/kinds.js';
import { type Beside, KINDS_WITH_FORMS, type RecordForm } from '../../src/topo/told.js';
import { GLOBAL } from '../../src/topo/topology.js';
import type { Version } from '../../src/topo/version.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';

const NUMBERING = 'current';
const NONE = new Set<never>();

/** Which record is kept in JSON at a path; undefined: none is. */
function oldKind(scope: string, path: string): OldKind | undefined {
  const { kind } = classify(scope === GLOBAL ? 'global' : 'cell', path, false);
  return KINDS_WITH_FORMS.has(kind) ? (kind as OldKind) : undefined;
}

/** A store that keeps records as JSON of generation 2 and reads both generations: what the retired backends are, without their paths. */
class OldConnection extends DelegatingConnection {
  readonly #scope: string;
  readonly #beside: readonly Beside[];

  constructor(inner: Connection, scope: string, beside: readonly Beside[]) {
    super(inner);
    this.#scope = scope;
    this.#beside = beside;
  }

  override get capabilities(): Capabilities {
    const form: RecordForm = {
      name: 'JSON of then',
      hold: (path, bytes) => {
        const kind = oldKind(this.#scope, path);
        if (kind === undefined) return { bytes, losses: [] };
        const { value, losses } = writeSecond(OLD_MESSAGES[kind], bytes, { path, numbering: NUMBERING });
        return { bytes: this.#read(path, value).bytes, losses };
      },
    };
    return { ...this.inner.capabilities, form };
  }

  override async get(path: string, options?: CallOptions): Promise<Value> {
    const value = await super.get(path, options);
    return { ...value, ...this.#read(path, value.bytes) };
  }

  override async *scan(prefix: string, options?: CallOptions): AsyncGenerator<ScanPage> {
    let beside: readonly Beside[] | undefined = this.#beside;
    for await (const page of super.scan(prefix, options)) {
      const records = page.records.map(
        (record): StoredRecord => ({ ...record, ...this.#read(record.path, record.bytes) }),
      );
      yield { ...page, records, beside };
      beside = undefined;
    }
  }

  override async *watchRecursive(
    prefix: string,
    options?: CallOptions,
  ): AsyncGenerator<WatchEvent | SyncedEvent> {
    for await (const event of super.watchRecursive(prefix, options)) {
      if (event.type !== 'record' || event.value === undefined) yield event;
      else {
        const { value } = event;
        yield { ...event, value: { ...value, ...this.#read(event.path, value.bytes) } };
      }
    }
  }

  override create(path: string, bytes: Uint8Array, options?: CallOptions): Promise<Version> {
    return super.create(path, this.#written(path, bytes), options);
  }

  override update(
    path: string,
    bytes: Uint8Array,
    version: Version | null,
    options?: CallOptions,
  ): Promise<Version> {
    return super.update(path, this.#written(path, bytes), version, options);
  }

  override write(ops: readonly WriteOp[], options?: WriteOptions): Promise<(Version | undefined)[]> {
    const written = ops.map((op) =>
      'bytes' in op ? { ...op, bytes: this.#written(op.path, op.bytes) } : op,
    );
    return super.write(written, options);
  }

  #written(path: string, bytes: Uint8Array): Uint8Array {
    const kind = oldKind(this.#scope, path);
    if (kind === undefined) return bytes;
    const options = { numbering: NUMBERING, accepted: NONE, store: this.store } as const;
    return writeOld(this.#record(kind, path), bytes, options).value;
  }

  #read(path: string, value: Uint8Array): Pick<Value, 'bytes' | 'told'> {
    const kind = oldKind(this.#scope, path);
    if (kind === undefined) return { bytes: value };
    try {
      const {
        bytes = new Uint8Array(),
        losses,
        derived,
        notes,
      } = readOld(this.#record(kind, path), value, {
        numbering: NUMBERING,
      });
      return { bytes, told: { losses, derived, notes } };
    } catch (unreadable) {
      if (!isTopologyError(unreadable)) throw unreadable;
      return { bytes: value, told: { losses: [], derived: [], notes: [], unreadable } };
    }
  }

  #record(kind: OldKind, path: string) {
    const [, name = '', , shard] = path.split('/');
    const cell = this.#scope === GLOBAL ? undefined : this.#scope;
    return {
      kind,
      path,
      cell,
      ...(kind === 'Tablet' ? { alias: name } : { keyspace: name }),
      ...(shard === undefined ? {} : { shard }),
    };
  }
}

/** Stores of which those at some addresses keep records as the retired formats do. `beside`: what they hold that is no record, by scope. */
export function withOldStores(
  stores: Stores,
  isOld: (address: StoreAddress) => boolean,
  beside: Readonly<Record<string, readonly Beside[]>> = {},
): Stores {
  return {
    ...stores,
    openNative: stores.openNative,
    async open(address, scope, global, cells) {
      const inner = await stores.open(address, scope, global, cells);
      return isOld(address) ? new OldConnection(inner, scope, beside[scope] ?? []) : inner;
    },
  };
}
