import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WatchEvent } from '../../src/topo/connection.js';
import { failure } from '../conformance/tools.js';
import { available, type ConsulCluster, FaultProxy, type Member, startConsul } from '../servers/index.js';
import { until } from '../support/until.js';
import { connect } from './consul-support.js';
import { writesLeave } from './frozen.js';
import { codeOf, Writers } from './writers.js';

const ROOT = 'vitess/global';

describe.runIf(available.consul('1.8'))('three servers of Consul', () => {
  let consul: ConsulCluster;
  beforeAll(async () => {
    consul = await startConsul({ version: '1.8', members: 3 });
  });
  afterAll(() => consul.stop());

  /**
   * The member that leads, once there is one (a member that thawed may have called an election): peers are named by their port for other
   * servers, which only the member itself tells of.
   */
  const leader = async (): Promise<Member> => {
    let found: Member | undefined;
    await until('a leader', async () => {
      for (const [i, api] of consul.apis.entries()) {
        const self = await fetch(`${api}/v1/agent/self`);
        if (/"leader":\s*"true"/.test(await self.text())) found = consul.members[i];
      }
      return found !== undefined;
    });
    if (found === undefined) throw new Error('there is no leader');
    return found;
  };

  test('when the leader dies under writes, what was acknowledged is there, nothing was done twice, and a lock is kept', async () => {
    const connection = await connect(consul.servers, ROOT, { requestTimeoutMs: 10_000 });
    const seen: string[] = [];
    const watching = failure(
      (async () => {
        for await (const { value } of connection.watch('watched')) seen.push(String(value?.bytes));
      })(),
    );
    const writers = await Writers.start(connection, 4);
    const { acknowledged } = writers;
    const lock = await connection.lock('', 'kept');
    await until('writes before', () => acknowledged.size > 100);
    const victim = await leader();
    await victim.kill();
    try {
      const before = acknowledged.size;
      await until('writes after', () => acknowledged.size > before + 100, 60_000);
      await writers.stop();
      await until(
        'a change',
        async () => (await codeOf(connection.update('watched', Buffer.from('1'), null))) === undefined,
      );
      await until('the change is told of', () => seen.at(-1) === '1');
      await lock.check({ deadline: Date.now() + 20_000 });
      expect(lock.lost.aborted).toBe(false);
    } finally {
      await writers.stop();
      await victim.restart();
    }
    await lock.unlock();
    await writers.check();
    await connection.close();
    expect(await watching).toMatchObject({ code: 'Interrupted' });
  }, 120_000);

  test('with a member frozen, reads go to another within their time, and a watch goes there with them', async () => {
    const led = await leader();
    const frozen = consul.members.find((member) => member !== led);
    if (frozen === undefined) throw new Error('a cluster has followers');
    const others = consul.members.filter((member) => member !== frozen);
    const inOrder = (members: readonly Member[]) => members.map(({ address }) => address).join(',');
    // No poll ends by itself while this test runs.
    const settings = { random: () => 0, watchPollMs: 600_000, requestTimeoutMs: 6_000 };
    const connection = await connect(inOrder([frozen, ...others]), ROOT, settings);
    await connection.update('watched', Buffer.from('2'), null);
    const seen: string[] = [];
    const watching = failure(
      (async () => {
        for await (const { value } of connection.watch('watched')) seen.push(String(value?.bytes));
      })(),
    );
    await until('the first state', () => seen.length === 1);
    const direct = await connect(inOrder(others));
    frozen.freeze();
    try {
      await direct.update('watched', Buffer.from('3'), null);
      expect(String((await connection.get('watched')).bytes)).toBe('3');
      await until('the change', () => seen.at(-1) === '3');
    } finally {
      frozen.thaw();
    }
    await connection.close();
    await watching;
    await direct.close();
  }, 60_000);

  test('with a member frozen, one write is in doubt, and the next goes to another member', async () => {
    const led = await leader();
    const [frozen, other] = consul.members.filter((member) => member !== led);
    if (frozen === undefined || other === undefined) throw new Error('a cluster has followers');
    await writesLeave(frozen, other, (servers) => connect(servers, ROOT));
  });

  test('without a majority reads and writes say that there is no leader, nothing is written, and both go well again with one', async () => {
    const connection = await connect(consul.servers, ROOT, { requestTimeoutMs: 12_000 });
    await connection.update('majority', Buffer.from('1'), null);
    const [, second, third] = consul.members;
    await Promise.all([second?.kill(), third?.kill()]);
    try {
      const read = failure(connection.get('majority'));
      const written = await failure(connection.update('majority', Buffer.from('2'), null));
      expect(['Timeout', 'Unavailable', 'OutcomeUnknown']).toContain(written.code);
      expect(['Timeout', 'Unavailable']).toContain((await read).code);
    } finally {
      await Promise.all([second?.restart(), third?.restart()]);
    }
    await until('a read', async () => (await codeOf(connection.get('majority'))) === undefined);
    // The first leader may step down again at once, with a write in its hands: that one's outcome is unknown.
    await until(
      'a write',
      async () => (await codeOf(connection.update('majority', Buffer.from('3'), null))) === undefined,
    );
    expect(String((await connection.get('majority')).bytes)).toBe('3');
    await connection.close();
  }, 120_000);
});

describe.runIf(available.consul('1.8'))('watches of Consul', () => {
  test('whose index goes back, for a snapshot was restored, deliver what is there then, and go on', async () => {
    const consul = await startConsul({ version: '1.8' });
    // A blocking query sleeps through this: its end is what shows the index.
    const connection = await connect(consul.servers, ROOT, { watchPollMs: 1_000 });
    const [api] = consul.apis;
    await connection.create('kept', Buffer.from('1'));
    await connection.create('changed', Buffer.from('1'));
    const snapshot = Buffer.from(await (await fetch(`${api}/v1/snapshot`)).arrayBuffer());
    const seen = new Map<string, string>();
    const single: string[] = [];
    const note = ({ path, value }: WatchEvent) => seen.set(path, String(value?.bytes));
    const ends = [
      failure(
        (async () => {
          for await (const event of connection.watchRecursive('')) if (event.type === 'record') note(event);
        })(),
      ),
      failure(
        (async () => {
          for await (const { value } of connection.watch('changed')) single.push(String(value?.bytes));
        })(),
      ),
    ];
    await connection.update('changed', Buffer.from('2'), null);
    await connection.create('new', Buffer.from('2'));
    await until(
      'the changes',
      () => seen.get('changed') === '2' && seen.get('new') === '2' && single.at(-1) === '2',
    );
    const restored = await fetch(`${api}/v1/snapshot`, { method: 'PUT', body: snapshot });
    expect(restored.status).toBe(200);
    await until('what was restored', () => seen.get('changed') === '1' && seen.get('new') === 'undefined');
    await until('what was restored, alone', () => single.at(-1) === '1');
    await connection.update('changed', Buffer.from('3'), null);
    await until('a later change', () => seen.get('changed') === '3' && single.at(-1) === '3');
    await connection.close();
    await Promise.all(ends);
    await consul.stop();
  }, 60_000);

  test('whose answers break off, or do not come, deliver the last state, deletions included', async () => {
    const consul = await startConsul({ version: '1.8' });
    const proxy = await FaultProxy.to(consul.servers);
    const settings = { watchPollMs: 1_000, requestTimeoutMs: 2_000 };
    const connection = await connect(proxy.address, ROOT, settings);
    const direct = await connect(consul.servers);
    for (const path of ['changed', 'deleted', 'recreated']) await direct.create(path, Buffer.from('1'));
    const seen = new Map<string, string>();
    let synced = false;
    const end = failure(
      (async () => {
        for await (const event of connection.watchRecursive('')) {
          if (event.type === 'synced') synced = true;
          else seen.set(event.path, String(event.value?.bytes));
        }
      })(),
    );
    await until('the beginning', () => synced);
    proxy.mute('answers');
    await direct.update('changed', Buffer.from('2'), null);
    await direct.delete('deleted', null);
    await direct.delete('recreated', null);
    await direct.create('recreated', Buffer.from('2'));
    await until('the end of a poll', () => new Promise((resolve) => setTimeout(() => resolve(true), 1_500)));
    await proxy.mend();
    const told = () => ['changed', 'deleted', 'recreated'].map((path) => seen.get(path)).join();
    await until('what differs', () => told() === '2,undefined,2');
    const broken = proxy.resetAfter('answers', 100);
    await direct.update('changed', Buffer.from('3'), null);
    await broken;
    await until('the change whose answer broke off', () => told() === '3,undefined,2');
    await connection.close();
    await end;
    await direct.close();
    await proxy.close();
    await consul.stop();
  }, 60_000);
});
