import { EventEmitter } from 'node:events';
import { Agent, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import Consul from 'consul';
import { type Contender, VALUE } from './operations.js';

/** Consul takes 200 connections of one client. */
const SOCKETS = 64;
const REQUEST_MS = 15_000;
/** Flags of a lock's key, by which Consul's own Lock API knows it. */
const LOCK_FLAGS = '3304740253564472344';

/** The `consul` package with its own agent, and reads of the leader's state, as a topology needs them. */
export async function rawConsul(server: string, root: string): Promise<Contender> {
  const { hostname, port } = new URL(`http://${server}`);
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS });
  const defaults = { consistent: true, timeout: REQUEST_MS };
  const consul = new Consul({ host: hostname, port: Number(port), agent, defaults });
  const { kv, session, transaction } = consul;
  const indexes = new Map<string, number>();
  const keyOf = (path: string) => `${root}/${path}`;
  const read = (path: string) => ({ key: keyOf(path), buffer: true });
  /** The new versions. */
  const inTransaction = async (operations: readonly KvOperation[]) => {
    if (!takesOperations(transaction)) throw new TypeError('consul has no transactions');
    const { Results } = await transaction.create(operations.map((operation) => ({ KV: operation })));
    return Results.map(({ KV }) => KV.ModifyIndex);
  };
  // Not once for all: who writes has another value each time.
  const encoded = () => VALUE.toString('base64');
  const create = (path: string): KvOperation => ({
    Verb: 'cas',
    Key: keyOf(path),
    Value: encoded(),
    Index: 0,
  });
  /** The index of all keys: what a key that does not exist answers with. */
  const position = async () => {
    const ctx = Object.assign(new EventEmitter(), { includeResponse: true });
    const options: object = { ...read('nothing'), ctx };
    const answer: unknown = await kv.get(options);
    const response: unknown = Array.isArray(answer) ? answer[0] : undefined;
    if (!(response instanceof IncomingMessage)) throw new Error('the answer is not shown');
    return Number(response.headers['x-consul-index']);
  };
  return {
    get: (path) => kv.get(read(path)),
    create: (path) => inTransaction([create(path)]),
    update: (path) => inTransaction([{ Verb: 'set', Key: keyOf(path), Value: encoded() }]),
    async updateIf(path) {
      const index = indexes.get(path) ?? (await kv.get(read(path)))?.ModifyIndex ?? 0;
      const operation = { Verb: 'cas', Key: keyOf(path), Value: encoded(), Index: index } as const;
      const [written = 0] = await inTransaction([operation]);
      indexes.set(path, written);
    },
    async scan(directory) {
      const before = await position();
      const found = await kv.get({ ...read(`${directory}/`), recurse: true });
      if ((await position()) !== before) throw new Error('somebody else is writing');
      return Array.isArray(found) ? found.length : 0;
    },
    batch: (paths) => inTransaction(paths.map(create)),
    async lockAndUnlock(directory) {
      const names = await kv.keys({ ...read(`${directory}/`), separator: '/' });
      const key = keyOf(`${directory}/Lock`);
      if (names.length === 0 || names.includes(key)) throw new Error(`${directory} cannot be locked now`);
      const { ID } = await session.create({ ttl: '15s', behavior: 'delete', lockdelay: '1ms', checks: [] });
      await inTransaction([
        { Verb: 'check-not-exists', Key: key },
        { Verb: 'lock', Key: key, Value: encoded(), Session: ID },
      ]);
      await inTransaction([
        { Verb: 'check-session', Key: key, Session: ID },
        { Verb: 'delete', Key: key },
      ]);
      await session.destroy(ID);
    },
    async lockRecipe(directory) {
      const [names, { ID }] = await Promise.all([
        kv.keys({ ...read(`${directory}/`), separator: '/' }),
        session.create({ ttl: '15s', behavior: 'delete', lockdelay: '1ms' }),
      ]);
      if (names.length === 0) throw new Error(`${directory} does not exist`);
      const key = keyOf(`${directory}/Lock`);
      // The end of the session before delays the next holder by the millisecond of its lock delay.
      while (!(await kv.set({ key, value: VALUE, acquire: ID, ...LOCK }))) await sleep(1);
      await session.destroy(ID);
    },
    async close() {
      consul.destroy();
      agent.destroy();
    },
  };
}

/** As text: the number is beyond what JavaScript counts exactly. */
const LOCK: object = { flags: LOCK_FLAGS };

interface KvOperation {
  readonly Verb: 'set' | 'cas' | 'check-not-exists' | 'check-session' | 'lock' | 'delete';
  readonly Key: string;
  readonly Value?: string;
  readonly Index?: number;
  readonly Session?: string;
}

interface Transactions {
  create(
    operations: readonly { readonly KV: KvOperation }[],
  ): Promise<{ readonly Results: readonly { readonly KV: { readonly ModifyIndex: number } }[] }>;
}

/** The package's types give operations another form than Consul takes. */
function takesOperations(transaction: object): transaction is Transactions {
  return 'create' in transaction;
}
