import type { CallOptions } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import type { Acl, Stat, ZooKeeperClient } from '../zookeeper/client.js';
import { type Store, settle, type Work } from './store.js';

/** The requests of which seals are made, over one session. */
export class SealSession {
  readonly #store: Store;
  readonly #client: ZooKeeperClient;
  readonly #options: CallOptions | undefined;

  constructor(store: Store, client: ZooKeeperClient, options: CallOptions | undefined) {
    this.#store = store;
    this.#client = client;
    this.#options = options;
  }

  /** Undefined: the znode is gone. */
  getAcl(path: string): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat } | undefined> {
    const znode = this.#store.znode(path);
    return settle(
      this.#ask(path, (client, request) => client.getAcl(znode, request)),
      ErrorCode.NoNode,
    );
  }

  /** Undefined: the ACL was changed meanwhile, or the znode is gone. */
  async setAcl(path: string, acl: readonly Acl[], aversion: number): Promise<Stat | undefined> {
    const znode = this.#store.znode(path);
    const set = this.#ask(path, (client, request) => client.setAcl(znode, acl, aversion, request));
    return (await settle(set, ErrorCode.NoNode, ErrorCode.BadVersion))?.stat;
  }

  async getChildren(path: string): Promise<readonly string[]> {
    const znode = this.#store.znode(path);
    const listed = this.#ask(path, (client, request) => client.getChildren(znode, request));
    return (await settle(listed, ErrorCode.NoNode))?.children ?? [];
  }

  /** Waits until all is done that was sent before, whether somebody still waits for it or not. */
  async catchUp(): Promise<void> {
    await this.#ask('', (client, request) => client.sync('/', request));
  }

  #ask<T>(path: string, work: Work<T>): Promise<T> {
    const store = this.#store;
    const client = this.#client;
    if (client === store.sessions.primary) return store.read(path, this.#options, work);
    return store.attempt({ kind: 'read', path }, () => work(client, store.request(this.#options, path)));
  }
}
