import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { zk2Connection } from '../../src/backends/zk2/connection.js';
import { LAYOUT } from '../../src/backends/zk2/layout.js';
import { storeName } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { Locks } from '../../src/znodes/lock-session.js';
import { Sessions } from '../../src/znodes/sessions.js';
import { Store } from '../../src/znodes/store.js';
import {
  CreateMode,
  type MultiOp,
  ZkCode,
  type ZooKeeperClient,
  ZooKeeperError,
} from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { eventually, must, within } from '../conformance/tools.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { openZk2 } from './zk2-subject.js';

const DIR = 'keyspaces/a';
const PATIENCE = 20_000;
const SCRIPT = fileURLToPath(new URL('./zk2-lock-process.ts', import.meta.url));
const utf8 = (text: string) => Buffer.from(text);
const lostAnswer = () => new ZooKeeperError(ZkCode.ConnectionLoss, 'the answer was lost', { sent: true });

/** Requests of the lock session that a test does something about. */
type Hooks = Partial<Pick<ZooKeeperClient, 'create' | 'delete' | 'multi'>>;
/** What a test does about one request; `send` sends it. */
type Hook = <T>(send: () => Promise<T>) => Promise<T>;

/** Transactions that hold an operation of some kind. */
const transactions =
  (client: ZooKeeperClient, which: (op: MultiOp) => boolean, hook: Hook): ZooKeeperClient['multi'] =>
  (ops, options) => {
    const send = () => client.multi(ops, options);
    return ops.some(which) ? hook(send) : send();
  };

/** Creations of entries, with or without their queues. */
const creations = (client: ZooKeeperClient, hook: Hook): Hooks => ({
  create: (args, options) => hook(() => client.create(args, options)),
  multi: transactions(
    client,
    (op) => op.type === 'create' && op.mode === CreateMode.EphemeralSequential,
    hook,
  ),
});

/** Deletions of entries, with or without their queues. */
const deletions = (client: ZooKeeperClient, hook: Hook): Hooks => ({
  delete: (path, version, options) => hook(() => client.delete(path, version, options)),
  multi: transactions(client, (op) => op.type === 'delete', hook),
});

describe.runIf(available.zookeeper('3.8'))('zk2 locks whose answers are lost', () => {
  let cluster: Cluster;
  let places = 0;
  let plain: Connection;
  let root: string;
  const opened: Connection[] = [];

  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8' });
  }, 120_000);
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
  });
  afterAll(() => cluster?.stop());

  /** A connection whose lock session is hooked; `plain` sees what it leaves. */
  const begin = async (hooks: (client: ZooKeeperClient) => Hooks): Promise<Connection> => {
    places += 1;
    root = `/faults/${places}`;
    plain = await openZk2(cluster.servers, root);
    await plain.create(`${DIR}/Keyspace`, utf8('keyspace'));
    const connection = await openApart(cluster.servers, cluster.servers, root, hooks);
    opened.push(connection, plain);
    return connection;
  };
  const queue = async () => {
    await plain.position();
    return plain.lockQueue(DIR);
  };
  const nothingLeft = () =>
    eventually(
      'nothing left behind',
      async () => {
        await plain.position();
        return (await plain.listDir(DIR)).join() === 'Keyspace';
      },
      PATIENCE,
    );

  test('of a creation that was applied: the entry is found, and is the only one', async () => {
    let times = 0;
    const connection = await begin((client) =>
      creations(client, async (send) => {
        const made = await send();
        times += 1;
        if (times === 1) throw lostAnswer();
        return made;
      }),
    );
    const held = await connection.lock(DIR, 'a');
    const waiting = connection.lock(DIR, 'b');
    await eventually('the wait', async () => (await queue()).length === 2, PATIENCE);
    expect((await queue()).map(({ contents }) => contents)).toEqual(['a', 'b']);
    expect(times).toBe(2);
    await held.unlock();
    await (await within(PATIENCE, 'the lock', waiting)).unlock();
    await nothingLeft();
  });

  test('of creations by many at once: each finds its own', async () => {
    const connection = await begin((client) =>
      creations(client, async (send) => {
        await send();
        throw lostAnswer();
      }),
    );
    let inside = 0;
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const lock = await connection.lock(DIR, String(i));
        inside += 1;
        expect(inside).toBe(1);
        expect(Buffer.from((await plain.get(lock.entry)).bytes).toString()).toBe(String(i));
        inside -= 1;
        await lock.unlock();
      }),
    );
    await nothingLeft();
  });

  test('of a creation that was not applied: another one is made', async () => {
    let times = 0;
    const connection = await begin((client) =>
      creations(client, async (send) => {
        times += 1;
        if (times === 1) throw lostAnswer();
        return send();
      }),
    );
    const lock = await connection.lock(DIR, 'a');
    expect(await queue()).toHaveLength(1);
    await lock.unlock();
    await nothingLeft();
  });

  test('a wait that is aborted while its creation is under way leaves nothing behind', async () => {
    let reached: () => void = () => {};
    let proceed: () => void = () => {};
    let isMade = false;
    const atServer = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const goOn = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const connection = await begin((client) =>
      creations(client, async (send) => {
        reached();
        await goOn;
        const made = await send();
        isMade = true;
        return made;
      }),
    );
    const abort = new AbortController();
    const refused = expect(connection.lock(DIR, 'a', { signal: abort.signal })).rejects.toMatchObject({
      code: 'Interrupted',
      path: DIR,
    });
    await atServer;
    abort.abort();
    await within(PATIENCE, 'the end of the wait', refused);
    proceed();
    await eventually('the creation', async () => isMade, PATIENCE);
    await nothingLeft();
    const lock = await plain.tryLock(DIR, 'free');
    await lock.unlock();
  });

  test('of a deletion: the lock was given back, as unlock says', async () => {
    const connection = await begin((client) =>
      deletions(client, async (send) => {
        await send();
        throw lostAnswer();
      }),
    );
    const lock = await connection.lock(DIR, 'a');
    await lock.unlock();
    expect(await queue()).toEqual([]);
  });

  test('of the writes by which an entry is told from others: the lock is held, and fences the next time', async () => {
    let times = 0;
    const connection = await begin((client) => ({
      multi: transactions(
        client,
        (op) => op.type === 'setData',
        async (send) => {
          const written = await send();
          times += 1;
          if (times === 1) throw lostAnswer();
          return written;
        },
      ),
    }));
    const lock = await connection.lock(DIR, 'a');
    const batch = [{ type: 'create', path: 'x', bytes: utf8('x') }] as const;
    await expect(connection.write(batch, { fence: lock })).rejects.toMatchObject({ code: 'Unavailable' });
    await lock.check();
    await connection.write(batch, { fence: lock });
    expect(times).toBe(1);
    await lock.unlock();
    await nothingLeft();
  });

  test('of a fenced batch: OutcomeUnknown, never BadVersion or LockLost', async () => {
    const connection = await begin((client) => ({
      multi: transactions(
        client,
        (op) => op.type === 'check',
        async (send) => {
          await send();
          throw lostAnswer();
        },
      ),
    }));
    const lock = await connection.lock(DIR, 'a');
    const version = (await connection.get(`${DIR}/Keyspace`)).version;
    const batch = [{ type: 'update', path: `${DIR}/Keyspace`, bytes: utf8('new'), version }] as const;
    await expect(connection.write(batch, { fence: lock })).rejects.toMatchObject({ code: 'OutcomeUnknown' });
    expect(Buffer.from((await connection.get(`${DIR}/Keyspace`)).bytes).toString()).toBe('new');
    await lock.unlock();
  });

  test('of deletions, until unlock gives up: the entry goes although another lock keeps its session', async () => {
    let answers = true;
    const connection = await begin((client) =>
      deletions(client, (send) => {
        if (!answers) throw new ZooKeeperError(ZkCode.OperationTimeout, 'no answer in time', { sent: false });
        return send();
      }),
    );
    const [stuck, other] = [await connection.lock(DIR, 'stuck'), await connection.lockName('n', '')];
    answers = false;
    await expect(stuck.unlock()).rejects.toMatchObject({ code: 'Timeout' });
    expect((await queue()).map(({ contents }) => contents)).toEqual(['stuck']);
    answers = true;
    await eventually('the end of the entry', async () => (await queue()).length === 0, PATIENCE);
    await nothingLeft();
    await other.check();
    await other.unlock();
  });

  test('of nothing, but late: a fenced batch that arrives when the lock was broken and taken anew is refused', async () => {
    let late: Promise<void> | undefined;
    const connection = await begin((client) => ({
      multi: async (ops, options) => {
        await late;
        return client.multi(ops, options);
      },
    }));
    const broken = await connection.lock(DIR, 'broken');
    await connection.write([{ type: 'create', path: 'in-time', bytes: utf8('x') }], { fence: broken });
    let arrive: () => void = () => {};
    late = new Promise((resolve) => {
      arrive = resolve;
    });
    const batch = [{ type: 'create', path: 'x', bytes: utf8('late') }] as const;
    const outcome = connection.write(batch, { fence: broken }).catch((error: unknown) => error);
    const [entry] = await queue();
    await plain.delete(must(entry).path, must(entry).version);
    const next = await plain.tryLock(DIR, 'next');
    expect(next.entry).toBe(broken.entry);
    arrive();
    expect(await outcome).toMatchObject({ code: 'LockLost' });
    await expect(plain.get('x')).rejects.toMatchObject({ code: 'NoNode' });
    await next.unlock();
  });

  test('of an entry that cannot be removed: it goes with its session when the last lock of it is given back', async () => {
    let refused = 0;
    const refuse = () => {
      refused += 1;
      throw new ZooKeeperError(ZkCode.MarshallingError, 'refused');
    };
    const isMeant = (path: string) => path.includes('/keyspaces/');
    const connection = await begin((client) => ({
      delete: async (path, version, options) =>
        isMeant(path) ? refuse() : client.delete(path, version, options),
      multi: transactions(client, (op) => op.type === 'delete' && isMeant(op.path), refuse),
    }));
    const [stuck, other] = [await connection.lock(DIR, 'stuck'), await connection.lockName('n', '')];
    await expect(stuck.unlock()).rejects.toMatchObject({ code: 'Corrupt' });
    expect(refused).toBeGreaterThan(0);
    expect((await queue()).map(({ contents }) => contents)).toEqual(['stuck']);
    await other.check();
    await other.unlock();
    await eventually('the end of the session', async () => (await queue()).length === 0, PATIENCE);
    await (await connection.lockName('n', '')).check();
  });
});

describe.runIf(available.zookeeper('3.8'))('zk2 locks on an ensemble', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8', members: 3, config: { tickTime: '1000' } });
  }, 180_000);
  afterAll(() => cluster?.stop());
  afterEach(() => cluster.restore());

  test('a lock and a wait for it go on while each server in turn is killed', {
    timeout: 120_000,
  }, async () => {
    const [holder, waiter] = [
      await openZk2(cluster.servers, '/three', { lockTtlMs: 20_000 }),
      await openZk2(cluster.servers, '/three', { lockTtlMs: 20_000 }),
    ];
    await holder.create(`${DIR}/Keyspace`, utf8('keyspace'));
    const lock = await holder.lock(DIR, 'holder');
    const waiting = waiter.lock(DIR, 'waiter');
    await eventually('the wait', async () => (await holder.lockQueue(DIR)).length === 2, PATIENCE);
    for (const member of cluster.members) {
      await member.kill();
      await eventually('a check', () => lock.check({ deadline: Date.now() + 5_000 }), PATIENCE);
      await member.restart();
    }
    expect(lock.lost.aborted).toBe(false);
    await eventually(
      'both',
      async () => {
        await holder.position();
        const found = (await holder.lockQueue(DIR)).map(({ contents }) => contents);
        return found.join() === 'holder,waiter';
      },
      PATIENCE,
    );
    await lock.unlock();
    const next = await within(PATIENCE, 'the lock', waiting);
    await next.check();
    await next.unlock();
    expect(await waiter.listDir(DIR)).toEqual(['Keyspace']);
    await Promise.all([holder.close(), waiter.close()]);
  });

  test('what is done through the session of the locks is seen at once, whatever server the reads go to', {
    timeout: 120_000,
  }, async () => {
    const members = cluster.members.map(({ address }) => address);
    for (const [i, reader] of members.entries()) {
      const connection = await openApart(reader, must(members[(i + 1) % 3]), `/apart/${i}`);
      await connection.create(`${DIR}/Keyspace`, utf8('-1'));
      for (let round = 0; round < 60; round++) {
        const lock = await connection.lock(DIR, String(round));
        expect((await connection.lockQueue(DIR)).map(({ contents }) => contents)).toEqual([String(round)]);
        const { version } = await connection.get(`${DIR}/Keyspace`);
        const op = { type: 'update', path: `${DIR}/Keyspace`, bytes: utf8(String(round)), version } as const;
        await connection.write([op], { fence: lock });
        expect(Buffer.from((await connection.get(`${DIR}/Keyspace`)).bytes).toString()).toBe(String(round));
        await lock.unlock();
        expect(await connection.listDir(DIR)).toEqual(['Keyspace']);
      }
      await connection.close();
    }
  });

  test('check is LockLost right after the entry was deleted through another server, and nothing of the next holder goes', {
    timeout: 120_000,
  }, async () => {
    const members = cluster.members.map(({ address }) => address);
    for (const [i, member] of members.entries()) {
      const [one, two] = [
        await openZk2(member, `/lag/${i}`),
        await openZk2(must(members[(i + 1) % 3]), `/lag/${i}`),
      ];
      await one.create(`${DIR}/Keyspace`, utf8('keyspace'));
      for (let round = 0; round < 60; round++) {
        const lock = await one.lock(DIR, String(round));
        await two.position();
        await two.delete(lock.entry, null);
        await expect(lock.check()).rejects.toMatchObject({ code: 'LockLost' });
        const next = await two.tryLock(DIR, 'next');
        await expect(lock.unlock()).rejects.toMatchObject({ code: 'LockLost' });
        await next.check();
        await next.unlock();
      }
      await Promise.all([one.close(), two.close()]);
    }
  });
});

describe.runIf(available.zookeeper('3.8'))('zk2 locks of a process that is stopped', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    // So that sessions may be short.
    cluster = await startZooKeeper({ version: '3.8', config: { tickTime: '500' } });
  }, 120_000);
  afterAll(() => cluster?.stop());

  test('for longer than the time to live are lost, which it is told when it goes on, and then it can end', {
    timeout: 90_000,
  }, async () => {
    const connection = await openZk2(cluster.servers, '/stopped');
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, cluster.servers, '/stopped'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const exited = once(child, 'exit');
      expect((await within(30_000, 'the lock of the process', lines.next())).value).toBe('held');
      child.kill('SIGSTOP');
      const lock = await within(30_000, 'the lock', connection.lockName('n', 'the next'));
      child.kill('SIGCONT');
      expect((await within(30_000, 'the loss', lines.next())).value).toBe('lost');
      expect(await within(30_000, 'the end', exited)).toEqual([0, null]);
      await lock.check();
      await lock.unlock();
      expect(await connection.lockQueue('internal/named_locks/n')).toEqual([]);
    } finally {
      child.kill('SIGKILL');
    }
    await connection.close();
  });
});

describe.runIf(available.zookeeper('3.8'))('zk2 locks of a server that is away', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startZooKeeper({ version: '3.8', config: { tickTime: '500' } });
  }, 120_000);
  afterAll(() => cluster?.stop());

  test('for longer than the time to live are lost, and leave no empty queue, which Vitess takes for a held lock', {
    timeout: 90_000,
  }, async () => {
    const connection = await openZk2(cluster.servers, '/away');
    await connection.create(`${DIR}/Keyspace`, utf8('keyspace'));
    const locks = await Promise.all([connection.lock(DIR, 'a'), connection.lockName('n', 'b')]);
    await cluster.kill();
    await within(30_000, 'the loss', Promise.all(locks.map(({ lost }) => once(lost, 'abort'))));
    // The servers count the time of a session from their own start.
    await cluster.restart();
    for (const lock of locks) await expect(lock.unlock()).rejects.toMatchObject({ code: 'LockLost' });
    await eventually(
      'nothing left behind',
      async () => {
        expect(await connection.listDir(DIR)).toEqual(['Keyspace']);
        expect(await connection.listDir('')).toEqual(['keyspaces']);
      },
      PATIENCE,
    );
    await connection.close();
  });
});

/** A connection whose locks have servers, and hooks, of their own. */
async function openApart(
  servers: string,
  lockServers: string,
  root: string,
  hooks: (client: ZooKeeperClient) => Hooks = () => ({}),
): Promise<Connection> {
  const primary = await connectOwnClient({ servers: servers.split(',') });
  const openLockSession = async () => {
    const client = await connectOwnClient({ servers: lockServers.split(','), renewSession: false });
    return hooked(client, hooks(client));
  };
  const store = storeName({ implementation: 'zk2', server: servers, root });
  const context = { store, clock: systemClock, defaultTimeoutMs: 10_000 };
  const closing = new AbortController();
  const sessions = new Sessions(primary, () => Promise.reject(new Error('one session')), false);
  const locks = new Locks(openLockSession, systemClock);
  const parts = { context, root, sessions, locks, servers: servers.split(','), closed: closing.signal };
  return zk2Connection(new Store({ ...parts, layout: LAYOUT }), async () => {
    closing.abort();
    await locks.close();
    await sessions.close();
  });
}

/** A client with some of its requests in other hands. */
function hooked(client: ZooKeeperClient, hooks: Hooks): ZooKeeperClient {
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(hooks, name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
