import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Acl, CreateMode, ZkCode } from '../../src/zookeeper/client.js';
import { describeClients } from './clients.js';
import { eventually, failure, OPEN } from './support.js';

describeClients((context) => {
  const { modern } = context;

  describe('nodes', () => {
    it('are created with data and read back exactly', async () => {
      const { client, base } = context;
      const data = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      const whole = new Uint8Array([9, ...data, 9]);
      const path = `${base}/a`;
      const created = await client.create({ path, data: whole.subarray(1, 257), acl: OPEN });
      expect(created.path).toBe(path);
      const read = await client.getData(path);
      expect(read.data).toEqual(data);
      expect(read.stat).toMatchObject({
        version: 0,
        cversion: 0,
        dataLength: 256,
        numChildren: 0,
        ephemeralOwner: 0n,
      });
      expect(read.stat.czxid).toBe(read.stat.mzxid);
      expect(Math.abs(read.stat.ctime - Date.now())).toBeLessThan(60_000);
      if (client.features.createStat) expect(created.stat).toEqual(read.stat);
      else expect(created.stat).toBeUndefined();
    });

    it('with no data differ from nodes with empty data', async () => {
      const { client, base } = context;
      await client.create({ path: `${base}/null`, data: null, acl: OPEN });
      await client.create({ path: `${base}/empty`, data: Buffer.alloc(0), acl: OPEN });
      expect((await client.getData(`${base}/empty`)).data).toEqual(Buffer.alloc(0));
      const expected = client.features.nullData ? null : Buffer.alloc(0);
      expect((await client.getData(`${base}/null`)).data).toEqual(expected);
      await client.setData(`${base}/empty`, null, 0);
      expect((await client.getData(`${base}/empty`)).data).toEqual(expected);
    });

    it('have versions that count their changes', async () => {
      const { client, base } = context;
      const path = `${base}/a`;
      await client.create({ path, data: Buffer.from('0'), acl: OPEN });
      expect((await client.setData(path, Buffer.from('1'), 0)).stat.version).toBe(1);
      expect((await client.setData(path, Buffer.from('2'), -1)).stat.version).toBe(2);
      expect(await failure(client.setData(path, Buffer.from('x'), 1))).toMatchObject({
        code: ZkCode.BadVersion,
        path,
        sent: false,
      });
      expect(await failure(client.delete(path, 1))).toMatchObject({ code: ZkCode.BadVersion, path });
      await client.delete(path, 2);
      expect((await client.exists(path)).stat).toBeUndefined();
      await client.create({ path, data: null, acl: OPEN });
      expect((await client.getData(path)).stat.version).toBe(0);
    });

    it('fail by name: NodeExists, NoNode, NotEmpty, NoChildrenForEphemerals, BadArguments', async () => {
      const { client, base } = context;
      const data = Buffer.from('secret-value');
      const none = `${base}/none`;
      await client.create({ path: `${base}/e`, data: null, acl: OPEN, mode: CreateMode.Ephemeral });
      const errors = [
        [() => client.create({ path: base, data, acl: OPEN }), ZkCode.NodeExists],
        [() => client.create({ path: `${none}/a`, data, acl: OPEN }), ZkCode.NoNode],
        [() => client.create({ path: `${base}/e/a`, data, acl: OPEN }), ZkCode.NoChildrenForEphemerals],
        [() => client.setData(none, data, -1), ZkCode.NoNode],
        [() => client.delete(none, -1), ZkCode.NoNode],
        [() => client.delete(base, -1), ZkCode.NotEmpty],
        [() => client.getData(none), ZkCode.NoNode],
        [() => client.getChildren(none), ZkCode.NoNode],
        [() => client.getAcl(none), ZkCode.NoNode],
        [() => client.setAcl(none, OPEN, -1), ZkCode.NoNode],
        [() => client.getData('no/slash'), ZkCode.BadArguments],
      ] as const;
      for (const [call, code] of errors) {
        const error = await failure(call());
        expect(error).toMatchObject({ code, sent: false });
        expect(error.message).not.toContain('secret-value');
      }
    });

    it('may have odd names', async () => {
      const { client, base } = context;
      const names = ['a b', '%2F', '#?&', 'ä€', '.hidden', 'a.b-c_d', '日本', '\u{e9}'];
      for (const name of names)
        await client.create({ path: `${base}/${name}`, data: Buffer.from(name), acl: OPEN });
      expect((await client.getChildren(base)).children.sort()).toEqual([...names].sort());
      for (const name of names) expect((await client.getData(`${base}/${name}`)).data?.toString()).toBe(name);
    });

    it('in sequence get rising names', async () => {
      const { client, base } = context;
      const mode = CreateMode.PersistentSequential;
      const first = await client.create({ path: `${base}/s-`, data: null, acl: OPEN, mode });
      const second = await client.create({ path: `${base}/`, data: null, acl: OPEN, mode });
      expect(first.path).toBe(`${base}/s-0000000000`);
      expect(second.path).toBe(`${base}/0000000001`);
    });

    it('that are ephemeral carry the session and go with it', async () => {
      const { client, base, connect } = context;
      const other = await connect();
      for (const mode of [CreateMode.Ephemeral, CreateMode.EphemeralSequential]) {
        await other.create({ path: `${base}/e`, data: null, acl: OPEN, mode });
      }
      expect((await client.exists(`${base}/e`)).stat?.ephemeralOwner).toBe(other.sessionId);
      expect(other.sessionId).not.toBe(client.sessionId);
      await other.close();
      await eventually(async () => (await client.getChildren(base)).children.length === 0);
    });

    it(`that are containers ${modern ? 'are created' : 'are Unimplemented, and the client works on'}`, async () => {
      const { client, base } = context;
      const args = { path: `${base}/c`, data: Buffer.from('v'), acl: OPEN, mode: CreateMode.Container };
      if (modern) {
        await client.create(args);
        expect((await client.getData(args.path)).data?.toString()).toBe('v');
      } else {
        expect((await failure(client.create(args))).code).toBe(ZkCode.Unimplemented);
        await eventually(() =>
          client.exists(base).then(
            (answer) => answer.stat !== undefined,
            () => false,
          ),
        );
      }
    });

    it('just under the limit of a request are stored, larger ones are TooLarge', async () => {
      const { client, base } = context;
      const path = `${base}/big`;
      await client.create({ path, data: null, acl: OPEN });
      const fits = client.maxRequestBytes - 8 - 4 - path.length - 4 - 4;
      const data = Buffer.alloc(fits, 7);
      expect((await client.setData(path, data, -1)).stat.dataLength).toBe(fits);
      expect((await client.getData(path)).data?.equals(data)).toBe(true);
      const tooLarge = Buffer.alloc(fits + 1);
      expect(await failure(client.setData(path, tooLarge, -1))).toMatchObject({
        code: ZkCode.TooLarge,
        sent: false,
      });
      const create = client.create({ path: `${base}/big2`, data: Buffer.alloc(fits), acl: OPEN });
      expect((await failure(create)).code).toBe(ZkCode.TooLarge);
      expect((await client.getChildren(base)).children).toEqual(['big']);
    });
  });

  describe('listings', () => {
    it('give names and the Stat of the parent', async () => {
      const { client, base } = context;
      for (const name of ['b', 'a']) await client.create({ path: `${base}/${name}`, data: null, acl: OPEN });
      const { children, stat } = await client.getChildren(base);
      expect([...children].sort()).toEqual(['a', 'b']);
      expect(stat).toMatchObject({ numChildren: 2, cversion: 2, version: 0 });
      expect(stat.pzxid).toBeGreaterThan(stat.czxid);
      expect((await client.getChildren(`${base}/a`)).children).toEqual([]);
    });

    it('of 5,000 long names arrive whole', async () => {
      const { client, base } = context;
      const names = Array.from({ length: 5_000 }, (_, i) => `${'n'.repeat(60)}-${i}`);
      await Promise.all(
        names.map((name) => client.create({ path: `${base}/${name}`, data: null, acl: OPEN })),
      );
      expect((await client.getChildren(base)).children.sort()).toEqual(names.sort());
    });
  });

  describe('pipelining', () => {
    it('keeps the order: a chain of children is created without waiting', async () => {
      const { client, base } = context;
      const paths = Array.from({ length: 30 }, (_, i) => base + '/d'.repeat(i + 1));
      const calls = paths.map((path) => client.create({ path, data: Buffer.from(path), acl: OPEN }));
      const last = client.getData(paths[29] ?? '');
      await Promise.all(calls);
      expect((await last).data?.toString()).toBe(paths[29]);
    });

    it('gives each of thousands of reads its own answer', async () => {
      const { client, base } = context;
      const paths = Array.from({ length: 300 }, (_, i) => `${base}/${i}`);
      await Promise.all(paths.map((path) => client.create({ path, data: Buffer.from(path), acl: OPEN })));
      const reads = Array.from({ length: 3_000 }, (_, i) => paths[i % 300] ?? '');
      const answers = await Promise.all(reads.map((path) => client.getData(path)));
      expect(answers.map(({ data }) => data?.toString())).toEqual(reads);
    });
  });

  describe('access control', () => {
    const readOnly: readonly Acl[] = [
      { perms: 1, scheme: 'world', id: 'anyone' },
      { perms: 31, scheme: 'ip', id: '127.0.0.1' },
    ];
    const hash = createHash('sha1').update('user:pass').digest('base64');
    const mine: readonly Acl[] = [{ perms: 31, scheme: 'digest', id: `user:${hash}` }];

    it('lists are stored on creation and by setAcl, with versions', async () => {
      const { client, base } = context;
      const path = `${base}/a`;
      await client.create({ path, data: null, acl: readOnly });
      const first = await client.getAcl(path);
      expect(first.acl).toEqual(readOnly);
      expect(first.stat.aversion).toBe(client.features.aclOnCreate ? 0 : 1);
      const { stat } = await client.setAcl(path, OPEN, first.stat.aversion);
      expect(stat.aversion).toBe(first.stat.aversion + 1);
      expect((await client.getAcl(path)).acl).toEqual(OPEN);
      expect((await failure(client.setAcl(path, OPEN, 0))).code).toBe(ZkCode.BadVersion);
    });

    it('lists that are empty are an InvalidAcl', async () => {
      const { client, base } = context;
      expect((await failure(client.setAcl(base, [], -1))).code).toBe(ZkCode.InvalidAcl);
      if (!client.features.aclOnCreate) return;
      expect((await failure(client.create({ path: `${base}/a`, data: null, acl: [] }))).code).toBe(
        ZkCode.InvalidAcl,
      );
    });

    it('of digest credentials lets in who has them, and gives NoAuth to others', async () => {
      const { client, base, connect } = context;
      const path = `${base}/a`;
      const owner = await connect({ auth: [{ scheme: 'digest', auth: 'user:pass' }] });
      await owner.create({ path, data: Buffer.from('v'), acl: mine });
      expect((await owner.getData(path)).data?.toString()).toBe('v');
      expect(await failure(client.getData(path))).toMatchObject({ code: ZkCode.NoAuth, path });
      expect((await failure(client.setData(path, null, -1))).code).toBe(ZkCode.NoAuth);
      const wrong = await connect({ auth: [{ scheme: 'digest', auth: 'user:wrong' }] });
      expect((await failure(wrong.getData(path))).code).toBe(ZkCode.NoAuth);
    });

    it('with a scheme that the server does not know is AuthFailed', async () => {
      const { connect } = context;
      const error = await failure(connect({ auth: [{ scheme: 'nosuch', auth: 'secret-word' }] }));
      expect(error.code).toBe(ZkCode.AuthFailed);
      expect(error.message).not.toContain('secret-word');
    });
  });
});
