import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rewriteCellInfo } from '../../src/topo/codec.js';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import type { Acl, ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { must } from '../conformance/tools.js';
import { cli } from '../support/cli.js';
import { SEALABLES, type SealableServer } from '../support/sealable.js';
import { until } from '../support/until.js';

const LIMIT_MS = 120_000;
const WRITERS = 4;
let number = 0;

describe.each(SEALABLES.filter((each) => each.available))('a seal of $name', ({ start, implementation }) => {
  let server: SealableServer;
  const opened: Connection[] = [];
  beforeAll(async () => {
    server = await start();
  }, LIMIT_MS);
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await server?.stop();
  });
  const open = async (how: 'sealer' | 'writer', root: string) => {
    const connection = await server[how](root);
    opened.push(connection);
    return connection;
  };
  const newRoot = () => `/vitess/global/${++number}`;

  test('is taken off by several at once, and none of them fails', { timeout: LIMIT_MS }, async () => {
    const name = `together-${++number}`;
    const roots = ['global', 'zone1'].map((scope) => `/vitess/${name}/${scope}`);
    const [global = '', zone1 = ''] = roots;
    const [sealer, cell] = [await open('sealer', global), await open('sealer', zone1)];
    const info = { serverAddress: server.servers, root: zone1 };
    await sealer.create('cells/zone1/CellInfo', rewriteCellInfo(new Uint8Array(), info));
    for (let n = 0; n < 300; n++) await cell.create(`metadata/k${n}`, Buffer.from('0'));
    const before = await server.rights();
    await sealer.seal({ id: 'a', scope: 'global' });
    await cell.seal({ id: 'a', scope: 'cell' });
    const unseal = () =>
      cli(['unseal', `${implementation}://${server.servers}${global}`, ...server.flags('')], server.env(''));
    const done = await Promise.all([unseal(), unseal(), unseal()]);
    expect(done.map(({ code, out, err }) => ({ code, out, err }))).toEqual(
      done.map(() => ({ code: 0, out: expect.stringMatching(/^unsealed zone1|^zone1/m), err: '' })),
    );
    expect(await server.rights()).toEqual(before);
  });

  test(
    'refuses whoever writes all the time, loses nothing that was acknowledged, and gives every right back',
    async () => {
      const root = newRoot();
      const [sealer, reader] = [await open('sealer', root), await open('writer', root)];
      const writers = await Promise.all(Array.from({ length: WRITERS }, () => open('writer', root)));
      for (let n = 0; n < WRITERS; n++) await reader.create(`metadata/k${n}`, Buffer.from('0'));
      for (let n = 0; n < 50; n++) await reader.create(`keyspaces/ks${n}/Keyspace`, Buffer.from('x'));
      const outside = await open('writer', newRoot());
      await outside.create('a', Buffer.from('x'));
      const before = await server.rights();

      const acknowledged: number[] = [];
      const made = new Set<string>();
      let isSealed = false;
      let isOver = false;
      let tries = 0;
      const late: string[] = [];
      const writing = writers.map(async (writer, n) => {
        for (let i = 1; !isOver; i++) {
          const begunSealed = isSealed;
          const attempt = async (what: string, write: () => Promise<unknown>, done: () => void) => {
            try {
              await write();
              done();
              if (begunSealed) late.push(what);
            } catch (error) {
              if (!isTopologyError(error, 'Unauthorized')) throw error;
              tries += begunSealed ? 1 : 0;
            }
          };
          await attempt(
            `k${n}`,
            () => writer.update(`metadata/k${n}`, Buffer.from(String(i)), null),
            () => {
              acknowledged[n] = i;
            },
          );
          const path = `keyspaces/new-${n}-${i}/Keyspace`;
          await attempt(
            path,
            () => writer.create(path, Buffer.from('x')),
            () => made.add(path),
          );
        }
      });
      await until('everybody writes', () => acknowledged.filter((last) => last > 3).length === WRITERS);
      await sealer.prepareSeal('global');
      const seal = await sealer.seal({ id: 'a', scope: 'global', host: 'host-1' });
      isSealed = true;
      const found = new Map<string, string>();
      await reader.position();
      for await (const { records } of reader.scan(''))
        for (const { path, bytes } of records) found.set(path, Buffer.from(bytes).toString());
      await until('everybody is refused', () => tries > 8 * WRITERS);
      await outside.update('a', Buffer.from('y'), null);
      isOver = true;
      await Promise.all(writing);
      expect(late).toEqual([]);
      for (let n = 0; n < WRITERS; n++) expect(found.get(`metadata/k${n}`)).toBe(String(acknowledged[n]));
      expect([...made].filter((path) => !found.has(path))).toEqual([]);
      expect(seal.whole).toBe(true);
      expect((await reader.sealed())?.id ?? (await sealer.sealed())?.id).toBe('a');

      const { restored, changed } = await sealer.unseal({ id: 'a' });
      expect(restored).toBeGreaterThan(0);
      expect(changed).toEqual([]);
      for (const path of made) await reader.delete(path, null);
      expect(await server.rights()).toEqual(before);
      await reader.update('metadata/k0', Buffer.from('after'), null);
    },
    LIMIT_MS,
  );
});

const ZOOKEEPER = SEALABLES.find(({ name }) => name === 'ZooKeeper 3.8');

describe.runIf(ZOOKEEPER?.available)('ZooKeeper', () => {
  let server: SealableServer;
  let raw: ZooKeeperClient;
  beforeAll(async () => {
    server = must(await ZOOKEEPER?.start());
    raw = await connectOwnClient({ servers: [server.servers] });
  }, LIMIT_MS);
  afterAll(async () => {
    await raw?.close();
    await server?.stop();
  });

  test.each(['whoever put it on', 'somebody else'])(
    'what others did to ACLs while a seal was on is left as it is when %s takes it off',
    async (who) => {
      const root = `/vitess/global/${++number}`;
      const [sealer, other] = [await server.sealer(root), await server.sealer(root)];
      for (const path of ['d/mine', 'd/closed', 'd/added', 'd/gone', 'd/open/file', 'e/file'])
        await sealer.create(path, Buffer.from('x'));
      const before = await server.rights();
      await sealer.prepareSeal('global');
      await sealer.seal({ id: 'a', scope: 'global' });

      const own: Acl[] = [
        { perms: 17, scheme: 'world', id: 'anyone' },
        { perms: 31, scheme: 'ip', id: '10.0.0.0/8' },
      ];
      const reading: Acl[] = [{ perms: 1, scheme: 'world', id: 'anyone' }];
      const everything: Acl[] = [{ perms: 31, scheme: 'world', id: 'anyone' }];
      const added = [...(await raw.getAcl(`${root}/d/added`)).acl, ...own.slice(1)];
      await raw.setAcl(`${root}/d/mine`, own, -1);
      await raw.setAcl(`${root}/d/closed`, reading, -1);
      await raw.setAcl(`${root}/d/added`, added, -1);
      for (const dir of ['d', 'd/open']) await raw.setAcl(`${root}/${dir}`, everything, -1);
      await raw.delete(`${root}/d/gone`, -1);
      await raw.delete(`${root}/d/open/file`, -1);
      for (const name of ['file', 'new'])
        await raw.create({ path: `${root}/d/open/${name}`, data: Buffer.from('y'), acl: own });

      const { restored, changed } = await (who === 'somebody else' ? other : sealer).unseal({ id: 'a' });
      expect(changed).toEqual(['d/added']);
      // The root, e and its file, and what is left of the one that was added to.
      expect(restored).toBe(4);
      const isAsBefore = new Set(before);
      const differing = (await server.rights()).filter(
        (line) => line.startsWith(`${root}/`) && !isAsBefore.has(line),
      );
      const aclOf = (path: string, acl: readonly Acl[]) => `${root}/${path} ${JSON.stringify(acl)}`;
      const leftOfAdded = added.filter(({ id }) => !id.startsWith('topo2topo-seal'));
      expect(differing).toEqual(
        [
          aclOf('d/added', leftOfAdded),
          aclOf('d/closed', reading),
          aclOf('d/mine', own),
          aclOf('d/open/file', own),
          aclOf('d/open/new', own),
        ].sort(),
      );
      await Promise.all([sealer.close(), other.close()]);
    },
    LIMIT_MS,
  );
});

describe.runIf(SEALABLES.some((each) => each.available && each.name === 'etcd 3.5'))('etcd', () => {
  let server: SealableServer | undefined;
  beforeAll(async () => {
    server = await SEALABLES.find(({ name }) => name === 'etcd 3.5')?.start();
  }, LIMIT_MS);
  afterAll(() => server?.stop());

  test('names its administrators, and tells whoever is none that he cannot seal', async () => {
    const [sealer, writer] = [await server?.sealer('/vitess/global'), await server?.writer('/vitess/global')];
    await writer?.create('a', Buffer.from('x'));
    await expect(writer?.seal({ id: 'b', scope: 'global' })).rejects.toMatchObject({
      code: 'Unsupported',
      hint: expect.stringMatching(/a user with the role root/),
    });
    expect((await sealer?.seal({ id: 'a', scope: 'global' }))?.exempt).toEqual(['etcd user root']);
    await sealer?.unseal();
    await Promise.all([sealer?.close(), writer?.close()]);
  });
});
