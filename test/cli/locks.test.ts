import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { memoryStore } from '../../src/backends/memory/stores.js';
import { encode } from '../../src/topo/codec.js';
import { eventually } from '../conformance/tools.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';
import { closeTopologies, contents, topology } from './locked-topology.js';

const FLAVOURS = ['zookeeper', 'etcd', 'consul'] as const;

afterEach(closeTopologies);

describe.each(FLAVOURS)('locks list: %s', (flavour) => {
  test('names what is locked, by whom, since when, and who waits', async () => {
    const { address, store } = await topology(flavour);
    await store.lock('keyspaces/commerce', contents('RebuildKeyspace'));
    await store.lock('keyspaces/orders/shards/-80', contents('PlannedReparentShard'));
    await store.lock('routing_rules', contents('ApplyRules'));
    await store.lockName('orders/reshard', contents('SwitchTraffic'));
    await store.campaign('vtctld', 'host-7:15000');
    const { code, out } = await cli(['locks', 'list', address]);
    expect(code).toBe(0);
    expect(out).toMatch(/keyspace commerce +holds +RebuildKeyspace +host-7 +vitess +2m/);
    expect(out).toMatch(/shard orders\/-80 +holds +PlannedReparentShard/);
    expect(out).toMatch(/directory routing_rules +holds +ApplyRules/);
    expect(out).toMatch(/name orders\/reshard +holds +SwitchTraffic/);
    expect(out).toMatch(/election vtctld +leads +host-7:15000/);
  });

  test('is JSON for programs, and looks below a path alone when asked', async () => {
    const { address, store } = await topology(flavour);
    await store.lock('keyspaces/commerce', contents('a'));
    await store.lock('keyspaces/orders/shards/-80', contents('b'));
    expect(await cliJson(['locks', 'list', address, 'keyspaces/orders'])).toMatchObject({
      command: 'locks list',
      orphans: 0,
      locks: [
        {
          type: 'shard',
          name: 'orders/-80',
          dir: 'keyspaces/orders/shards/-80',
          entries: [
            { state: 'holds', action: 'b', host: 'host-7', orphan: false, owner: expect.any(String) },
          ],
        },
      ],
    });
  });

  test('says so when there are none, and takes a keyspace called locks for what it is', async () => {
    const { address, store } = await topology(flavour);
    await store.create('keyspaces/locks/Keyspace', new Uint8Array());
    await store.create('keyspaces/locks/shards/Lock/Shard', new Uint8Array());
    const { code, out } = await cli(['locks', 'list', address]);
    expect(code).toBe(0);
    expect(out).toContain('no locks and no elections');
  });

  test('a root or a path that does not exist is not called free of locks', async () => {
    const { address, server } = await topology(flavour);
    for (const args of [[`memory://${server}/vitess/globl`], [address, 'keyspaces/order']])
      expect(await cli(['locks', 'list', ...args])).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringContaining('there is nothing below this path'),
      });
    for (const path of ['internal/named_locks', 'elections'])
      expect(await cli(['locks', 'list', address, path])).toMatchObject({
        code: 0,
        out: expect.stringContaining('no locks'),
      });
  });

  test('finds an orphan, says what it does, and exits with 1', async () => {
    const { address, orphan } = await topology(flavour);
    await orphan('keyspaces/orders/shards/-80', 'Reparent');
    const { code, out } = await cli(['locks', 'list', address]);
    expect(code).toBe(1);
    expect(out).toMatch(/shard orders\/-80 +orphan +Reparent +host-7 +vitess +\S+ +for ever/);
    expect(out).toMatch(/1 orphan: an orphan belongs to no session.*locks break/);
    expect(await cliJson(['locks', 'list', address], [1])).toMatchObject({ orphans: 1 });
  });
});

test('waiters are listed behind the holder', async () => {
  const { address, store } = await topology('etcd');
  const abort = new AbortController();
  await store.lock('keyspaces/commerce', contents('first'));
  const waiting = store.lock('keyspaces/commerce', contents('second'), { signal: abort.signal });
  await eventually('the waiter stands in line', async () => {
    expect((await cli(['locks', 'list', address])).out).toMatch(/ first [\s\S]*\n +waits +second/);
  });
  abort.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'Interrupted' });
});

test('what a lock says cannot rewrite the screen', async () => {
  const { address, store } = await topology('zookeeper');
  await store.lock('keyspaces/commerce', `\u001b[2Jevil\nline ${'x'.repeat(500)}`);
  const { out } = await cli(['locks', 'list', address]);
  expect(out).toContain('\\u001b[2Jevil line');
  expect(out).not.toContain('\u001b');
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThan(200);
});

describe.each(FLAVOURS)('locks break: %s', (flavour) => {
  const dir = 'keyspaces/orders/shards/-80';

  test('shows what it would do, and does it only with --yes', async () => {
    const { address, store, orphan } = await topology(flavour);
    const path = await orphan(dir, 'Reparent');
    const shown = await cli(['locks', 'break', address, 'orders/-80']);
    expect(shown).toMatchObject({ code: 4, out: expect.stringContaining('Reparent') });
    expect(shown.err).toMatch(/1 entry would be deleted.*\n.*--yes/);
    await store.get(path);
    const broken = await cli(['locks', 'break', address, 'orders/-80', '--yes']);
    expect(broken).toMatchObject({ code: 0, err: '', out: expect.stringContaining('broken') });
    await expect(store.get(path)).rejects.toMatchObject({ code: 'NoNode' });
    await (await store.tryLock(dir, 'free')).unlock();
  });

  test('a name that is misspelt is not called free', async () => {
    const { address } = await topology(flavour);
    for (const name of ['order', 'orders/80'])
      expect(await cli(['locks', 'break', address, name, '--yes'])).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringMatching(/NoNode/),
      });
    for (const args of [['orders/-80'], ['--name', 'orders/none']])
      expect(await cli(['locks', 'break', address, ...args, '--yes'])).toMatchObject({
        code: 0,
        out: expect.stringContaining('nobody holds'),
      });
  });

  test('takes a lock from somebody who is alive only when told to, and that one hears of it', async () => {
    const { address, store } = await topology(flavour);
    const lock = await store.lock(dir, contents('Reparent'));
    const refused = await cli(['locks', 'break', address, `/${dir}`, '--yes']);
    expect(refused).toMatchObject({ code: 4, err: expect.stringMatching(/is alive.*\n.*--even-if-alive/) });
    await lock.check();
    const broken = await cliJson(['locks', 'break', address, dir, '--yes', '--even-if-alive']);
    expect(broken).toMatchObject({ lock: { dir }, broken: [{ path: lock.entry, gone: false }] });
    await eventually('the holder hears of it', async () => expect(lock.lost.aborted).toBe(true));
  });

  test('takes the leadership of an election away', async () => {
    const { address, store } = await topology(flavour);
    const leads = await store.campaign('vtctld', 'host-7:15000');
    const args = ['locks', 'break', address, 'elections/vtctld', '--yes', '--even-if-alive'];
    expect(await cli(args)).toMatchObject({ code: 0, err: '', out: expect.stringContaining('host-7:15000') });
    await eventually('the leader hears of it', async () => expect(leads.lost.aborted).toBe(true));
    expect(await store.leader('vtctld')).toBeUndefined();
  });

  test('leaves waiters alone', async () => {
    const { address, store } = await topology(flavour);
    const lock = await store.lock(dir, contents('Reparent'));
    const waiting = store.lock(dir, contents('next'));
    if (flavour !== 'consul')
      await eventually('the waiter stands in line', async () =>
        expect(await store.lockQueue(dir)).toHaveLength(2),
      );
    await cli(['locks', 'break', address, dir, '--yes', '--even-if-alive']);
    const next = await waiting;
    await next.check();
    await eventually('the holder hears of it', async () => expect(lock.lost.aborted).toBe(true));
  });
});

test('an empty directory that ZooKeeper kept is an orphan, and is cleared', async () => {
  const { address, server, store } = await topology('zookeeper');
  const dir = 'keyspaces/orders/shards/-80';
  memoryStore(server).makeDirectory(`vitess/global/${dir}/locks`);
  const { code, out } = await cli(['locks', 'list', address]);
  expect(out).toMatch(/shard orders\/-80 +orphan +an empty directory, left behind +.*for ever\n1 orphan:/);
  expect(code).toBe(1);
  expect(await cliJson(['locks', 'list', address], [1])).toMatchObject({
    orphans: 1,
    locks: [{ dir, leftOver: true }],
  });
  expect((await cli(['locks', 'break', address, dir])).code).toBe(4);
  expect(await store.listDir(`${dir}/locks`)).toEqual([]);
  expect((await cli(['locks', 'break', address, dir, '--yes'])).out).toContain('removed the empty directory');
  expect(await store.listDir(dir)).toEqual(['Shard']);
});

describe('locks break', () => {
  test('removes all empty directories at once, and nothing that anybody holds', async () => {
    const { address, server, store, orphan } = await topology('zookeeper');
    const dirs = ['keyspaces/commerce', 'keyspaces/orders/shards/-80', 'routing_rules'];
    for (const dir of dirs) memoryStore(server).makeDirectory(`vitess/global/${dir}/locks`);
    const lock = await store.lock('keyspaces/orders', contents('RebuildKeyspace'));
    const kept = await orphan('keyspaces/customer', 'left');
    const args = ['locks', 'break', address, '--left-over'];
    expect(await cli(args)).toMatchObject({ code: 4, err: expect.stringContaining('3 entries would be') });
    expect((await cli(['locks', 'list', address])).out).toContain('4 orphans');
    expect((await cli([...args, '--yes'])).out).toMatch(/(removed the empty directory .*\s*){3}$/);
    expect(await cliJson(['locks', 'list', address], [1])).toMatchObject({
      orphans: 1,
      locks: [{ name: 'customer' }, { name: 'orders' }],
    });
    await lock.check();
    await store.get(kept);
    expect(await cliJson([...args, '--yes'])).toMatchObject({ locks: [] });
    for (const more of [['commerce'], ['--name', 'orders/x'], ['--even-if-alive']])
      expect((await cli([...args, ...more, '--yes'])).code, more.join(' ')).toBe(2);
  });

  test('never deletes an entry that changed since it was shown', async () => {
    const { address, store, orphan } = await topology('etcd');
    const path = await orphan('keyspaces/commerce', 'old');
    let change: Promise<unknown> | undefined;
    const onOut = () => {
      change ??= store.update(path, Buffer.from(contents('new')), null);
    };
    const { code, err } = await cli(['locks', 'break', address, 'commerce', '--yes'], {}, { onOut });
    await change;
    expect(err).toMatch(/changed while it was looked at: nothing is broken/);
    expect(code).toBe(3);
    expect(Buffer.from((await store.get(path)).bytes).toString()).toContain('new');
  });

  test('leaves a holder alone who is alive when it clears an orphan behind', async () => {
    const { address, store, orphan } = await topology('etcd');
    const lock = await store.lock('keyspaces/commerce', contents('RebuildKeyspace'));
    await orphan('keyspaces/commerce', 'left');
    const { code, out } = await cli(['locks', 'break', address, 'commerce', '--yes']);
    expect(out).toMatch(/broken .*an orphan, left by vitess@host-7/);
    expect(code).toBe(0);
    await lock.check();
    expect(await store.lockQueue('keyspaces/commerce')).toHaveLength(1);
  });

  test('takes the lock from such a holder as well when it is told to, and with it the orphan behind', async () => {
    const { address, store, orphan } = await topology('etcd');
    const lock = await store.lock('keyspaces/commerce', contents('RebuildKeyspace'));
    await orphan('keyspaces/commerce', 'left');
    const args = ['locks', 'break', address, 'commerce', '--yes', '--even-if-alive'];
    const { code, out } = await cli(args);
    expect(out).toMatch(/broken .*RebuildKeyspace by vitess@host-7/);
    expect(out).toMatch(/broken .*an orphan, left by vitess@host-7/);
    expect(code).toBe(0);
    await expect(lock.check()).rejects.toMatchObject({ code: 'LockLost' });
    expect(await store.lockQueue('keyspaces/commerce')).toEqual([]);
  });

  test('is not told to by the environment', async () => {
    const { address, orphan } = await topology('etcd');
    await orphan('keyspaces/commerce', 'left');
    const env = { TOPO2TOPO_YES: 'true', TOPO2TOPO_EVEN_IF_ALIVE: 'true' };
    expect((await cli(['locks', 'break', address, 'commerce'], env)).code).toBe(4);
  });

  test('of a lock that nobody holds is no failure', async () => {
    const { address } = await topology('zookeeper');
    for (const more of [[], ['--yes']])
      expect(await cli(['locks', 'break', address, 'commerce', ...more])).toMatchObject({
        code: 0,
        out: 'nobody holds the lock of keyspaces/commerce\n',
      });
  });

  test('finds named locks by their name, and refuses two places at once', async () => {
    const { address, store } = await topology('consul');
    await store.lockName('orders/reshard', contents('SwitchTraffic'));
    const args = ['locks', 'break', address, '--name', 'orders/reshard'];
    expect((await cli(args)).out).toMatch(/name orders\/reshard +holds/);
    expect((await cli([...args.slice(0, 3), 'commerce', ...args.slice(3)])).code).toBe(2);
  });

  test.each([[[]], [['/']], [['a/b/c']]])('refuses what is no place: %j', async (words) => {
    const { address } = await topology('etcd');
    expect(await cli(['locks', 'break', address, ...words])).toMatchObject({ code: 2, out: '' });
  });
});

test('a cell’s store can be asked, too', async () => {
  const server = `zookeeper:${randomUUID()}`;
  const cell = `memory://${server}/vitess/zone1`;
  await withStore(cell, (store) => store.create('keyspaces/a/SrvKeyspace', new Uint8Array()));
  const args = ['--cell', 'zone1', '--cell-address', `zone1=${server},/vitess/zone1`];
  const global = `memory://${server}/vitess/global`;
  await withStore(global, (store) =>
    store.create('cells/zone1/CellInfo', encode('topodata.CellInfo', { server_address: server, root: '/x' })),
  );
  await withStore(cell, async (store) => {
    const lock = await store.lock('keyspaces/a', contents('local'));
    expect((await cli(['locks', 'list', global, ...args])).out).toMatch(/keyspace a +holds +local/);
    await lock.unlock();
  });
});
