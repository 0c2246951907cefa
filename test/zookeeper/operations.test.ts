import { describe, expect, it } from 'vitest';
import { CreateMode, type WatchSignal, ZkCode } from '../../src/zookeeper/client.js';
import { describeClients } from './clients.js';
import { eventually, failure, numbersOf, OPEN } from './support.js';

describeClients((context) => {
  const { modern, name } = context;

  describe('watches', () => {
    const recorder = (): { signals: WatchSignal[]; watcher: (signal: WatchSignal) => void } => {
      const signals: WatchSignal[] = [];
      return { signals, watcher: (signal) => signals.push(signal) };
    };

    it('of getData fire once, for a change or a deletion', async () => {
      const { client, base } = context;
      const path = `${base}/a`;
      await client.create({ path, data: null, acl: OPEN });
      const change = recorder();
      await client.getData(path, { watcher: change.watcher });
      await client.setData(path, Buffer.from('1'), -1);
      await client.setData(path, Buffer.from('2'), -1);
      const deletion = recorder();
      await client.getData(path, { watcher: deletion.watcher });
      await client.delete(path, -1);
      await eventually(() => deletion.signals.length > 0);
      expect(change.signals).toEqual(['dataChanged']);
      expect(deletion.signals).toEqual(['deleted']);
    });

    it('of a client that can let go of them are told of nothing then, and no other is let go', async () => {
      const { client, base } = context;
      const [left, kept] = [recorder(), recorder()];
      for (const { watcher } of [left, kept]) await client.getData(base, { watcher });
      await client.getChildren(base, { watcher: left.watcher });
      client.forgetWatcher?.(base, left.watcher);
      await client.setData(base, null, -1);
      await client.create({ path: `${base}/a`, data: null, acl: OPEN });
      await eventually(() => kept.signals.length > 0);
      await client.sync(base);
      expect(kept.signals).toEqual(['dataChanged']);
      if (client.forgetWatcher !== undefined) expect(left.signals).toEqual([]);
    });

    it('of exists fire for a creation too', async () => {
      const { client, base } = context;
      const path = `${base}/a`;
      const creation = recorder();
      expect((await client.exists(path, { watcher: creation.watcher })).stat).toBeUndefined();
      await client.create({ path, data: null, acl: OPEN });
      await eventually(() => creation.signals.length > 0);
      const change = recorder();
      await client.exists(path, { watcher: change.watcher });
      await client.setData(path, null, -1);
      await eventually(() => change.signals.length > 0);
      expect([creation.signals, change.signals]).toEqual([['created'], ['dataChanged']]);
    });

    it('of getChildren fire for a child that comes or goes, not for its data', async () => {
      const { client, base } = context;
      const first = recorder();
      await client.getChildren(base, { watcher: first.watcher });
      await client.setData(base, null, -1);
      await client.create({ path: `${base}/a`, data: null, acl: OPEN });
      await eventually(() => first.signals.length > 0);
      const second = recorder();
      await client.getChildren(base, { watcher: second.watcher });
      await client.setData(`${base}/a`, null, -1);
      await client.delete(`${base}/a`, -1);
      await eventually(() => second.signals.length > 0);
      const gone = recorder();
      await client.getChildren(base, { watcher: gone.watcher });
      await client.delete(base, -1);
      await eventually(() => gone.signals.length > 0);
      expect([first.signals, second.signals, gone.signals]).toEqual([
        ['childrenChanged'],
        ['childrenChanged'],
        ['deleted'],
      ]);
    });

    it('are not set by a read that fails', async () => {
      const { client, base } = context;
      const { signals, watcher } = recorder();
      await failure(client.getData(`${base}/a`, { watcher }));
      await client.create({ path: `${base}/a`, data: null, acl: OPEN });
      await client.delete(`${base}/a`, -1);
      await client.sync(base);
      expect(signals).toEqual([]);
    });

    it('of several watchers on one node all fire', async () => {
      const { client, base } = context;
      const all = Array.from({ length: 5 }, recorder);
      await Promise.all(all.map(({ watcher }) => client.getData(base, { watcher })));
      await client.setData(base, null, -1);
      await eventually(() => all.every(({ signals }) => signals.length === 1));
    });

    it('are told by another client’s change', async () => {
      const { client, base, connect } = context;
      const other = await connect();
      const { signals, watcher } = recorder();
      await client.getData(base, { watcher });
      await other.setData(base, Buffer.from('new'), -1);
      await eventually(() => signals.length > 0);
      expect((await client.getData(base)).data?.toString()).toBe('new');
    });

    it('are `lost` when the client is closed', async () => {
      const { client, base } = context;
      const { signals, watcher } = recorder();
      await client.getData(base, { watcher });
      await client.close();
      await eventually(() => signals.length > 0);
      expect(signals).toEqual(['lost']);
    });
  });

  describe('sync', () => {
    it('makes another client’s write visible', async () => {
      const { client, base, connect } = context;
      const other = await connect();
      await other.setData(base, Buffer.from('new'), -1);
      await client.sync(base);
      expect((await client.getData(base)).data?.toString()).toBe('new');
    });
  });

  describe('answers', () => {
    it('carry zxids that rise with writes', async () => {
      const { client, base } = context;
      const write = await client.setData(base, Buffer.from('1'), -1);
      const read = await client.getData(base);
      const absent = await client.exists(`${base}/none`);
      if (client.features.replyZxid) {
        expect(write.zxid).toBe(read.stat.mzxid);
        expect(read.zxid).toBeGreaterThanOrEqual(write.zxid);
        expect(absent.zxid).toBeGreaterThanOrEqual(write.zxid);
      } else {
        expect([write.zxid, read.zxid, absent.zxid]).toEqual([0n, 0n, 0n]);
      }
    });
  });

  describe('multi', () => {
    it('does all operations in order, and answers each', async () => {
      const { client, base } = context;
      const ops = [
        { type: 'create', path: `${base}/a`, data: Buffer.from('1'), acl: OPEN },
        { type: 'create', path: `${base}/a/b`, data: null, acl: OPEN },
        { type: 'setData', path: `${base}/a`, data: Buffer.from('2'), version: 0 },
        { type: 'check', path: base, version: 0 },
        {
          type: 'create',
          path: `${base}/s-`,
          data: null,
          acl: OPEN,
          mode: CreateMode.PersistentSequential,
        },
        { type: 'delete', path: `${base}/a/b`, version: -1 },
      ] as const;
      if (!client.features.multi) {
        expect((await failure(client.multi(ops))).code).toBe(ZkCode.Unsupported);
        return;
      }
      const { results, zxid } = await client.multi(ops);
      expect(results.map(({ type }) => type)).toEqual(ops.map(({ type }) => type));
      const { data, stat } = await client.getData(`${base}/a`);
      expect(data?.toString()).toBe('2');
      expect([stat.czxid, stat.mzxid]).toEqual([zxid, zxid]);
      expect(results[2]).toEqual({ type: 'setData', stat: { ...stat, cversion: 1, numChildren: 1 } });
      expect(results[4]).toMatchObject({ path: `${base}/s-0000000001` });
      expect((await client.getChildren(base)).children.sort()).toEqual(['a', 's-0000000001']);
    });

    it('that fails names the operation and leaves nothing', async ({ skip }) => {
      const { client, base } = context;
      skip(!client.features.multi, 'declared as missing');
      const error = await failure(
        client.multi([
          { type: 'create', path: `${base}/a`, data: null, acl: OPEN },
          { type: 'setData', path: base, data: Buffer.from('x'), version: 0 },
          { type: 'check', path: base, version: 7 },
          { type: 'delete', path: base, version: -1 },
        ]),
      );
      expect(error).toMatchObject({ code: ZkCode.BadVersion, path: base, index: 2, sent: false });
      expect((await client.getChildren(base)).children).toEqual([]);
      expect((await client.getData(base)).data?.toString()).toBe('base');
    });

    it.for([
      [ZkCode.NodeExists, 0],
      [ZkCode.NoNode, 1],
    ] as const)('that fails with %d says index %d', async ([code, index], { skip }) => {
      const { client, base } = context;
      skip(!client.features.multi, 'declared as missing');
      const create = { type: 'create', path: `${base}/a`, data: null, acl: OPEN } as const;
      const ops = [create, { type: 'delete', path: `${base}/none`, version: -1 } as const];
      if (code === ZkCode.NodeExists) await client.create(create);
      expect(await failure(client.multi(ops))).toMatchObject({ code, index, path: ops[index]?.path });
    });

    it('that is not allowed names the operation', async ({ skip }) => {
      const { client, base } = context;
      skip(!client.features.multi, 'declared as missing');
      const path = `${base}/a`;
      await client.create({ path, data: null, acl: [{ perms: 1, scheme: 'world', id: 'anyone' }] });
      const error = await failure(
        client.multi([
          { type: 'setData', path: base, data: null, version: -1 },
          { type: 'setData', path, data: null, version: -1 },
        ]),
      );
      expect(error).toMatchObject({ code: ZkCode.NoAuth, path, index: 1 });
    });

    it('of nothing answers nothing', async ({ skip }) => {
      const { client } = context;
      skip(!client.features.multi, 'declared as missing');
      expect((await client.multi([])).results).toEqual([]);
    });

    it('of 1,000 creates is one transaction', async ({ skip }) => {
      const { client, base } = context;
      skip(!client.features.multi, 'declared as missing');
      const ops = Array.from({ length: 1_000 }, (_, i) => ({
        type: 'create' as const,
        path: `${base}/${i}`,
        data: Buffer.alloc(300),
        acl: OPEN,
      }));
      const { results } = await client.multi(ops);
      expect(results.map((each) => each.type === 'create' && each.path)).toEqual(ops.map(({ path }) => path));
    });

    it(`with a container ${modern ? 'creates it' : 'is Unimplemented'}`, async ({ skip }) => {
      const { client, base } = context;
      skip(!client.features.multi, 'declared as missing');
      const mode = CreateMode.Container;
      const call = client.multi([{ type: 'create', path: `${base}/c`, data: null, acl: OPEN, mode }]);
      if (modern) expect((await call).results).toMatchObject([{ type: 'create', path: `${base}/c` }]);
      else expect((await failure(call)).code).toBe(ZkCode.Unimplemented);
    });
  });

  describe('multiRead', () => {
    it('answers each read on its own, in order', async () => {
      const { client, base } = context;
      await client.create({ path: `${base}/a`, data: Buffer.from('1'), acl: OPEN });
      const { results } = await client.multiRead([
        { type: 'getData', path: `${base}/a` },
        { type: 'getData', path: `${base}/none` },
        { type: 'getChildren', path: base },
        { type: 'getChildren', path: `${base}/none` },
      ]);
      const { data, stat } = await client.getData(`${base}/a`);
      const [first, ...others] = results;
      if (first?.type !== 'getData') throw new Error('the first read has no data');
      expect({ ...first, stat: numbersOf(first.stat) }).toEqual({ type: 'getData', data, stat });
      expect(others).toEqual([
        { type: 'error', code: ZkCode.NoNode },
        { type: 'getChildren', children: ['a'] },
        { type: 'error', code: ZkCode.NoNode },
      ]);
    });

    it('gives NoAuth to the read that has none', async () => {
      const { client, base } = context;
      const path = `${base}/a`;
      await client.create({ path, data: null, acl: [{ perms: 4, scheme: 'world', id: 'anyone' }] });
      const { results } = await client.multiRead([
        { type: 'getData', path },
        { type: 'getData', path: base },
      ]);
      expect(results).toMatchObject([{ type: 'error', code: ZkCode.NoAuth }, { type: 'getData' }]);
    });

    it('of nothing answers nothing', async () => {
      const { client } = context;
      expect((await client.multiRead([])).results).toEqual([]);
    });
  });

  it('declares what it and the server can do', () => {
    const { client } = context;
    const own = name !== 'native';
    expect(client.features).toEqual({
      multi: own,
      aclOnCreate: own,
      nullData: own,
      replyZxid: own,
      createStat: own && modern,
      multiRead: own && modern,
      persistentWatch: own && modern,
      tls: own,
      reattach: own,
      ttl: own && modern,
    });
  });
});
