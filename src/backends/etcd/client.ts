import { HttpClient } from '../../http/client.js';
import { isInGlobalRoot, type StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { CallOptions } from '../../topo/connection.js';
import { GLOBAL } from '../../topo/topology.js';
import type { Answer, Node } from './answers.js';
import { FAILURES } from './error.js';
import { Layout } from './layout.js';
import { Member, type PutOptions, type ReadOptions, type RemoveOptions } from './member.js';
import { holdsCell } from './sharing.js';

/** Milliseconds after which a watch looks again, whatever it was told. */
const WATCH_MS = 30_000;
/** As `etcd_lock_ttl` of Vitess had it. */
const ELECTION_TTL_MS = 30_000;

/** The servers of one store. Native paths are keys relative to its root. */
export class EtcdClient extends HttpClient<Member> {
  readonly watchMs: number;
  readonly electionTtlMs: number;

  readonly #address: StoreAddress;
  readonly #cells: ConnectSettings['cells'];
  #layout: Layout;

  /** @param root where native paths begin */
  constructor(address: StoreAddress, settings: ConnectSettings, root = address.root) {
    super(address, settings, { failures: FAILURES, make: (server) => new Member(server, settings) });
    const { scope = GLOBAL, global } = settings;
    const cell = scope === GLOBAL ? undefined : scope;
    const shared = cell !== undefined && global !== undefined && isInGlobalRoot(address, global);
    this.#layout = new Layout(this.context.store, root, { cell, shared });
    this.#address = address;
    this.#cells = settings.cells;
    this.watchMs = settings.watchPollMs ?? WATCH_MS;
    this.electionTtlMs = settings.lockTtlMs ?? ELECTION_TTL_MS;
  }

  get layout(): Layout {
    return this.#layout;
  }

  /** Of a global store: takes what is in `cells`, which may say that a cell's store is in this root, too. See {@link Part.shared}. */
  noticeCells(nodes: readonly Node[]): void {
    const { store, root, cell, shared } = this.#layout;
    if (cell !== undefined || shared || !holdsCell(this.#address, nodes, this.#cells)) return;
    this.#layout = new Layout(store, root, { cell, shared: true });
  }

  /** See {@link Member.get}. `about`: the path that errors name. */
  get(
    native: string,
    about: string,
    options: CallOptions | undefined,
    read: ReadOptions = {},
  ): Promise<Answer> {
    const key = this.layout.key(native);
    return this.read(about, options, (member, limits) => member.get(key, read, limits));
  }

  /** See {@link Member.put}. */
  put(
    native: string,
    value: string,
    put: PutOptions,
    about: string,
    options: CallOptions | undefined,
  ): Promise<Answer> {
    const key = this.layout.key(native);
    return this.write(about, options, (member, limits) => member.put(key, value, put, limits));
  }

  /** See {@link Member.remove}. */
  remove(
    native: string,
    remove: RemoveOptions,
    about: string,
    options: CallOptions | undefined,
  ): Promise<Answer> {
    const key = this.layout.key(native);
    return this.write(about, options, (member, limits) => member.remove(key, remove, limits));
  }
}
