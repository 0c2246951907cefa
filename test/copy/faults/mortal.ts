import { Member, type StoreCall } from '../../../src/backends/etcd2/member.js';
import { OwnClient } from '../../../src/zookeeper/own.js';

/** Requests of etcd that change something. */
const ETCD: ReadonlySet<StoreCall> = new Set<StoreCall>([
  'put',
  'txn',
  'deleteRange',
  'leaseRevoke',
  'roleGrantPermission',
  'roleRevokePermission',
]);
const ZOOKEEPER = ['create', 'delete', 'setData', 'setAcl', 'multi'] as const;
const ZOOKEEPER_READS = ['exists', 'getData', 'getChildren', 'getAcl', 'multiRead', 'sync'] as const;

/**
 * Work that ends as if its process were killed: at one of its requests that change a store, whatever of the program sends it. To the
 * store there is no difference, and it takes no process.
 */
export class Mortal {
  /** Requests so far of the work that runs. */
  #sent = 0;
  #diesAt = 0;
  #onDeath: (() => void) | undefined;
  /** Clients of the work that runs, and those of the dead. */
  readonly #alive = new Set<object>();
  readonly #dead = new Set<object>();

  /** Stands before every request of this process, until it ends. */
  constructor() {
    const before = (client: object, changes: boolean, send: () => Promise<unknown>) =>
      this.#before(client, changes, send);
    for (const method of [...ZOOKEEPER, ...ZOOKEEPER_READS]) {
      const changes = ZOOKEEPER.some((each) => each === method);
      const send: (...args: never[]) => Promise<unknown> = OwnClient.prototype[method];
      Object.defineProperty(OwnClient.prototype, method, {
        value(this: OwnClient, ...args: never[]) {
          return before(this, changes, () => send.apply(this, args));
        },
      });
    }
    const { call } = Member.prototype;
    Object.defineProperty(Member.prototype, 'call', {
      value(this: Member, ...args: Parameters<typeof call>) {
        return before(this, ETCD.has(args[0]), () => call.apply(this, args));
      },
    });
  }

  /** Runs work that dies at a request, from 1, after the store has carried it out; 0: it lives. The requests that it sent; undefined: it died. */
  async run<T>(at: number, work: () => Promise<T>): Promise<{ requests: number; answer: T } | undefined> {
    this.#sent = 0;
    this.#diesAt = at;
    try {
      const died = new Promise<undefined>((resolve) => {
        this.#onDeath = () => resolve(undefined);
      });
      const lived = work().then((answer) => ({ requests: this.#sent, answer }));
      return await Promise.race([lived, died]);
    } finally {
      this.#onDeath = undefined;
      this.#alive.clear();
    }
  }

  #before(client: object, changes: boolean, send: () => Promise<unknown>): Promise<unknown> {
    if (this.#dead.has(client)) return new Promise(() => {});
    if (this.#onDeath === undefined) return send();
    this.#alive.add(client);
    if (!changes) return send();
    this.#sent += 1;
    return this.#sent === this.#diesAt ? this.#die(send) : send();
  }

  async #die(send: () => Promise<unknown>): Promise<unknown> {
    for (const each of this.#alive) this.#dead.add(each);
    await send().catch(() => {});
    this.#onDeath?.();
    return new Promise(() => {});
  }
}
