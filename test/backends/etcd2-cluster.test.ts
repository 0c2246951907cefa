import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection, SyncedEvent, WatchEvent } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import {
  available,
  ETCD_VERSIONS,
  type EtcdCluster,
  FaultWay,
  type Member,
  startEtcd,
} from '../servers/index.js';
import { until } from '../support/until.js';
import { connect, errorOf } from './etcd2-support.js';
import { writesLeave } from './frozen.js';
import { Writers } from './writers.js';

const ROOT = '/vitess/global';

describe.runIf(available.etcd('3.5'))('three members of etcd', () => {
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.5', members: 3 });
  });
  afterAll(() => etcd.stop());

  /** The member that leads, once there is one: a member that thawed or began anew may have called an election. */
  const leader = async (): Promise<Member> => {
    let found: Member | undefined;
    await until('a leader', async () => {
      const status: unknown = JSON.parse(await etcd.ctl('endpoint', 'status', '-w', 'json'));
      if (!Array.isArray(status)) throw new Error('etcdctl printed no list');
      found = etcd.members[status.findIndex(({ Status: { header, leader: id } }) => header.member_id === id)];
      return found !== undefined;
    });
    if (found === undefined) throw new Error('there is no leader');
    return found;
  };
  /** A connection whose preferred member is the first one, and the third of its random order stays the last. */
  const connectInOrder = (servers: string) => connect(servers, ROOT, { random: () => 0 });

  test('with a follower dead every call goes well', async () => {
    const led = await leader();
    const dead = etcd.members.find((member) => member !== led);
    const connections = await Promise.all([0, 1, 2, 3].map(() => connect(etcd.servers)));
    await dead?.kill();
    try {
      for (const [c, connection] of connections.entries()) {
        // Until its death is noticed, a member may still be sent a write.
        await settle(connection.update('dead/first', Buffer.from('x'), null));
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            await connection.create(`dead/${c}/${i}`, Buffer.from('x'));
            return connection.get(`dead/${c}/${i}`);
          }),
        );
        await connection.close();
      }
    } finally {
      await dead?.restart();
    }
  });

  test('when the leader dies under writes, what was acknowledged is there, and nothing was done twice', async () => {
    const connection = await connect(etcd.servers, ROOT, { requestTimeoutMs: 5_000 });
    const writers = await Writers.start(connection, 8);
    const { acknowledged } = writers;
    await until('writes before', () => acknowledged.size > 300);
    const victim = await leader();
    await victim.kill();
    try {
      const before = acknowledged.size;
      await until('writes after', () => acknowledged.size > before + 500);
    } finally {
      await writers.stop();
      await victim.restart();
    }
    await writers.check();
    await connection.close();
  });

  test('locks, places in line and elections outlive the leader, and a member that is frozen', async () => {
    const settings = { lockTtlMs: 5_000, requestTimeoutMs: 5_000 };
    const connections = await Promise.all([0, 1, 2].map(() => connect(etcd.servers, ROOT, settings)));
    const [connection, second, third] = connections;
    if (connection === undefined || second === undefined || third === undefined) throw new Error('three');
    const lock = await connection.lockName('cluster', 'first');
    const leading = await third.campaign('cluster', 'leads');
    const waiting = second.lockName('cluster', 'second');
    const inLine = async () => {
      const queue = await third.lockQueue('internal/named_locks/cluster').catch(() => []);
      return queue.map(({ contents }) => contents).join();
    };
    await until('a waiter', async () => (await inLine()) === 'first,second');
    const victim = await leader();
    await victim.kill();
    const since = Date.now();
    try {
      await until('more than a life', () => Date.now() - since > 7_000);
      await lock.check();
      await leading.check();
      expect(await inLine()).toBe('first,second');
      expect([lock.lost.aborted, leading.lost.aborted]).toEqual([false, false]);
    } finally {
      await victim.restart();
    }
    // A leader that wakes up may revoke leases by its own stopped clock: that is etcd's, and told as a loss.
    const leads = await leader();
    const frozen = etcd.members.find((member) => member !== leads) ?? leads;
    frozen.freeze();
    try {
      await lock.unlock();
      const next = await waiting;
      await next.check();
      await next.unlock();
    } finally {
      frozen.thaw();
    }
    await leading.unlock();
    await until('no lease', async () => (await etcd.ctl('lease', 'list')).includes('found 0 leases'));
    await Promise.all(connections.map((each) => each.close()));
  }, 90_000);

  test('with a member frozen, reads go to another within their time, and a watch goes on', async () => {
    const others = (frozen: Member) => etcd.members.filter((member) => member !== frozen);
    const [frozen] = etcd.members.filter((member) => member === etcd.member);
    if (frozen === undefined) throw new Error('a cluster has members');
    const servers = [frozen, ...others(frozen)].map(({ address }) => address).join(',');
    const connection = await connectInOrder(servers);
    await connection.update('watched', Buffer.from('1'), null);
    const seen: (string | undefined)[] = [];
    const abort = new AbortController();
    const following = (async () => {
      for await (const { value } of connection.watch('watched', { signal: abort.signal }))
        seen.push(value && Buffer.from(value.bytes).toString());
    })();
    await until('the first state', () => seen.length === 1);
    const direct = await connect(
      others(frozen)
        .map(({ address }) => address)
        .join(','),
    );
    frozen.freeze();
    try {
      // What a frozen leader was sent may not be known.
      await until(
        'a write',
        async () => !isTopologyError(await settle(direct.update('watched', Buffer.from('2'), null))),
      );
      expect(Buffer.from((await connection.get('watched')).bytes).toString()).toBe('2');
      await until('the change', () => seen.at(-1) === '2', 28_000);
    } finally {
      frozen.thaw();
    }
    abort.abort();
    await expect(following).rejects.toMatchObject({ code: 'Interrupted' });
    await direct.close();
    await connection.close();
  }, 60_000);

  test('with a member frozen, one write is in doubt, and the next goes to another member', async () => {
    const led = await leader();
    const [frozen, other] = etcd.members.filter((member) => member !== led);
    if (frozen === undefined || other === undefined) throw new Error('a cluster has followers');
    await writesLeave(frozen, other, (servers) => connect(servers));
  });

  test('without a majority reads and writes are Timeout, nothing is written, and both go well again with one', async () => {
    const connection = await connect(etcd.servers, ROOT, { requestTimeoutMs: 2_000 });
    await connection.update('majority', Buffer.from('1'), null);
    const [, second, third] = etcd.members;
    await Promise.all([second?.kill(), third?.kill()]);
    await until('the loss', async () => {
      const outcome = await settle(connection.get('majority'));
      return isTopologyError(outcome, 'Timeout') && String(outcome.cause).includes('no leader');
    });
    const error = await errorOf(connection.update('majority', Buffer.from('2'), null));
    expect(error).toMatchObject({
      code: 'Timeout',
      cause: { details: expect.stringContaining('no leader') },
    });
    await Promise.all([second?.restart(), third?.restart()]);
    await until('a read', async () => !isTopologyError(await settle(connection.get('majority'))));
    expect(Buffer.from((await connection.get('majority')).bytes).toString()).toBe('1');
    await connection.update('majority', Buffer.from('3'), null);
    await connection.close();
  }, 60_000);
});

async function settle(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => error);
}

describe.runIf(available.etcd('3.5'))('members of etcd that hear of one another late', () => {
  test('whichever is asked, every read shows what was acknowledged before, whichever acknowledged it', async () => {
    const etcd = await startEtcd({ version: '3.5', members: 3, behindMs: 100 });
    const connections = await Promise.all(etcd.members.map(({ address }) => connect(address, ROOT)));
    const scanned = async (connection: Connection) => {
      const paths: string[] = [];
      for await (const { records } of connection.scan('d')) paths.push(...records.map(({ path }) => path));
      return paths;
    };
    const watched = async (connection: Connection) => {
      const paths: string[] = [];
      for await (const event of connection.watchRecursive('d')) {
        if (event.type === 'synced') break;
        paths.push(event.path);
      }
      return paths;
    };
    try {
      for (const [i, writer] of connections.entries()) {
        const others = connections.filter((each) => each !== writer);
        const all = <T>(read: (reader: Connection) => Promise<T>) => Promise.all(others.map(read));
        const name = String(i);
        const path = `d/${name}`;
        await writer.create(path, Buffer.from(name));
        const found = await all(async (reader) => Buffer.from((await reader.get(path)).bytes).toString());
        expect(found).toEqual([name, name]);
        await writer.delete(path, null);
        for (const error of await all((reader) => errorOf(reader.get(path))))
          expect(error).toMatchObject({ code: 'NoNode' });
        await writer.create(path, Buffer.from('x'));
        expect(await all((reader) => reader.listDir('d'))).toEqual([[name], [name]]);
        await writer.delete(path, null);
        expect(await all(scanned)).toEqual([[], []]);
        await writer.create(path, Buffer.from('x'));
        expect(await all(watched)).toEqual([[path], [path]]);
        await writer.delete(path, null);
        const now = await writer.position();
        for (const position of await all((reader) => reader.position()))
          expect(position).toBeGreaterThanOrEqual(now);
      }
    } finally {
      await Promise.all(connections.map((connection) => connection.close()));
      await etcd.stop();
    }
  }, 120_000);
});

for (const version of ETCD_VERSIONS) {
  describe.runIf(available.etcd(version))(`watches of etcd ${version} whose history is gone`, () => {
    test('deliver what differs, deletions and re-creations included, and nothing older', async () => {
      const etcd = await startEtcd({ version });
      const way = await FaultWay.to(etcd.servers);
      const connection = await connect(way.servers);
      const direct = await connect(etcd.servers);
      await createAll(direct, ['kept', 'changed', 'deleted', 'recreated', 'deep/deleted']);
      const events: (WatchEvent | SyncedEvent)[] = [];
      const single: (string | undefined)[] = [];
      const ends = [collect(connection.watchRecursive(''), (event) => events.push(event))];
      for (const path of ['changed', 'deleted', 'new'])
        ends.push(
          collect(connection.watch(path), ({ value }) => single.push(`${path} ${value?.bytes ?? 'absent'}`)),
        );
      await until(
        'the first states',
        () => events.some(({ type }) => type === 'synced') && single.length === 3,
      );
      events.length = 0;
      single.length = 0;

      way.loseAnswers();
      const unset = ['deleted', 'recreated', 'deep/deleted'];
      for (const path of unset) await direct.delete(path, null);
      await createAll(direct, ['recreated', 'new']);
      await direct.update('changed', Buffer.from('2'), null);
      const last = await direct.update('elsewhere', Buffer.from('3'), null);
      await direct.delete('elsewhere', null);
      await etcd.ctl('compact', last.token);
      await way.mend();

      await until('the differences', () => events.length >= 5 && single.length >= 3);
      const told = events.map((event) =>
        event.type === 'record' ? `${event.path} ${event.value?.bytes ?? 'absent'}` : event.type,
      );
      expect(told.sort()).toEqual(
        ['changed 2', 'deep/deleted absent', 'deleted absent', 'new 1', 'recreated 1'].sort(),
      );
      expect(single.sort()).toEqual(['changed 2', 'deleted absent', 'new 1']);
      await direct.update('kept', Buffer.from('4'), null);
      await until('a later change', () => events.length === 6);
      await connection.close();
      for (const end of await Promise.all(ends)) expect(end).toMatchObject({ code: 'Interrupted' });
      await direct.close();
      await way.close();
      await etcd.stop();
    });
  });
}

async function createAll(connection: Connection, paths: readonly string[]): Promise<void> {
  for (const path of paths) await connection.create(path, Buffer.from('1'));
}

/** Gives each item to `take`; answers with what ended the iteration. */
async function collect<T>(items: AsyncIterable<T>, take: (item: T) => unknown): Promise<unknown> {
  try {
    for await (const item of items) take(item);
    return undefined;
  } catch (error) {
    return error;
  }
}
