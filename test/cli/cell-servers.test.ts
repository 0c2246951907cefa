import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { freePorts } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { addressOn, PRODUCTS, type Server } from '../support/products.js';
import { contents, withStore } from '../support/topologies.js';

const LIMIT_MS = 120_000;
/** Long enough for a busy machine, short enough to notice what hangs. */
const PATIENCE = ['--timeout', '20'];

for (const product of PRODUCTS) {
  describe.runIf(product.available)(`cells and the serving graph on ${product.name}`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await product.start();
      await withStore(at('global'), async (store) => {
        await store.create('cells/zone1/CellInfo', info(server.servers, product.root('zone1')));
        await store.create('keyspaces/commerce/Keyspace', new Uint8Array());
        const shard = { is_primary_serving: true, primary_alias: { cell: 'zone1', uid: 100 } };
        await store.create('keyspaces/commerce/shards/0/Shard', encode('topodata.Shard', shard));
      });
    }, LIMIT_MS);
    afterAll(() => server?.stop());

    const at = (scope: string) => addressOn(product, server, scope);
    const cell = (action: string, ...more: string[]) =>
      cli(['cell', action, at('global'), ...more, ...PATIENCE]);
    const add = (name: string, servers: string, root: string, ...more: string[]) =>
      cell('add', name, '--server-address', servers, '--root', root, ...more);

    test('a cell is added, filled by a rebuild, emptied and removed', { timeout: LIMIT_MS }, async () => {
      expect(await add('zone2', server.servers, product.root('zone2'))).toMatchObject({ code: 0, err: '' });
      expect((await cell('list')).out).toMatch(/zone1[\s\S]*zone2/);

      const graph = (action: string) => cli(['graph', action, at('global'), ...PATIENCE]);
      expect((await graph('check')).code).toBe(1);
      expect(await graph('rebuild')).toMatchObject({ code: 0, err: '' });
      expect([...(await contents(at('zone2'))).keys()]).toEqual([
        'SrvVSchema',
        'keyspaces/commerce/SrvKeyspace',
      ]);
      expect(await cliJson(['graph', 'check', at('global'), ...PATIENCE])).toMatchObject({ stale: 0 });

      const refused = await cell('remove', 'zone2', '--yes');
      expect(refused).toMatchObject({ code: 4, err: expect.stringMatching(/still in use/) });
      const removed = await cell('remove-keyspace', 'commerce', 'zone2', '--yes');
      expect(removed).toMatchObject({ code: 0, err: '' });
      expect([...(await contents(at('zone2'))).keys()]).toEqual(['SrvVSchema']);
      expect(await cell('remove', 'zone2', '--yes')).toMatchObject({ code: 0, err: '' });
      expect((await contents(at('global'))).has('cells/zone2/CellInfo')).toBe(false);
    });

    test('a cell whose address does not answer, or is refused, is not added', {
      timeout: LIMIT_MS,
    }, async () => {
      const before = await contents(at('global'));
      const [port] = await freePorts(1);
      const silent = await add('zone3', `127.0.0.1:${port}`, product.root('zone3'));
      expect(silent).toMatchObject({ code: 3, err: expect.stringMatching(/cell zone3: .*\n.*→/) });
      const inside = await add('zone3', server.servers, product.root('global/zone3'));
      expect(inside).toMatchObject({ code: 2, err: expect.stringMatching(/would overlap/) });
      const otherName = server.servers.replaceAll('127.0.0.1', 'localhost');
      const again = await add('zone3', otherName, product.root('zone1'));
      expect(again).toMatchObject({ code: 2, err: expect.stringMatching(/would overlap/) });
      expect(await contents(at('global'))).toEqual(before);
    });
  });
}

describe.runIf(PRODUCTS.every((product) => product.available))('another product', () => {
  const servers = new Map<string, Server>();
  beforeAll(async () => {
    await Promise.all(PRODUCTS.map(async (product) => servers.set(product.name, await product.start())));
  }, LIMIT_MS);
  afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

  const pairs = PRODUCTS.flatMap((own) =>
    PRODUCTS.filter((other) => other !== own).map((other) => [own.name, other.name, own, other] as const),
  );
  test.each(pairs)('a cell of %s is not added where %s answers', { timeout: LIMIT_MS }, async (...pair) => {
    const [ownName, otherName, own] = pair;
    const [server, other] = [servers.get(ownName), servers.get(otherName)];
    if (server === undefined || other === undefined) throw new Error('not started');
    const global = addressOn(own, server, 'global');
    const place = ['--server-address', other.servers.replaceAll('http://', ''), '--root', own.root('zone1')];
    for (const line of [
      ['cell', 'add', global, 'zone1', ...place],
      ['cell', 'split', global, 'zone0', 'zone1', ...place, '--yes'],
    ]) {
      await withStore(global, async (store) => {
        await store.update('cells/zone0/CellInfo', info(server.servers, own.root('zone0')), null);
      });
      const before = await contents(global);
      const { code, err } = await cli([...line, '--timeout', '4']);
      expect(err).toMatch(/^error cell zone1: .*\n {2}→ .*another product may listen there/);
      expect(code).toBe(3);
      expect(await contents(global)).toEqual(before);
    }
  });
});

function info(servers: string, root: string): Uint8Array {
  return encode('topodata.CellInfo', { server_address: servers, root });
}
