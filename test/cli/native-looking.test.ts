import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, cliJson } from '../support/cli.js';
import { addressOn, PRODUCTS, type Server } from '../support/products.js';
import { withStore } from '../support/topologies.js';

const LIMIT_MS = 180_000;

/** What differs between the stores: the first of their words, and whether directories are nodes. */
const WORDS = {
  zk2: ['czxid', true],
  etcd2: ['create_revision', false],
  consul: ['CreateIndex', false],
} as const;

for (const product of PRODUCTS) {
  describe.runIf(product.available)(`stat and find --native, on ${product.name}`, () => {
    const [word, hasDirectories] = WORDS[product.implementation as keyof typeof WORDS];
    const root = product.root('global');
    const keyspace = `${root}/keyspaces/ks/Keyspace`;
    let server: Server;
    let address: string;
    beforeAll(async () => {
      server = await product.start();
      address = addressOn(product, server, 'global');
      await withStore(address, (store) => store.create('keyspaces/ks/Keyspace', Buffer.from('abc')));
    }, LIMIT_MS);
    afterAll(() => server?.stop());

    test('stat shows what the store says of one node', async () => {
      const { out, code } = await cli(['stat', address, '--native', keyspace]);
      expect({ code, lines: out.split('\n').slice(0, 2) }).toEqual({
        code: 0,
        lines: [keyspace, expect.stringMatching(/^ {2}bytes +3 bytes$/)],
      });
      expect(out).toMatch(new RegExp(`^ {2}${word} +\\S+$`, 'm'));
      const shown = await cliJson(['stat', address, '--native', keyspace]);
      expect(shown).toMatchObject({ path: keyspace, size: 3, [word]: expect.anything() });
    });

    test('stat of a directory shows a node without data, or says that it is none', async () => {
      if (hasDirectories) {
        expect((await cli(['stat', address, '--native'])).out).toMatch(/bytes +none\n/);
        expect(await cliJson(['stat', address, '--native'])).toMatchObject({ path: root, size: null });
        return;
      }
      for (const command of ['stat', 'cat'])
        expect(await cli([command, address, '--native'])).toMatchObject({
          code: 3,
          out: '',
          err: expect.stringMatching(/only the beginning of longer keys[\s\S]*ls --native/),
        });
    });

    test('find finds everywhere, by name', async () => {
      const [top = ''] = /^\/?[^/]+/.exec(root) ?? [];
      const found = await cli(['find', address, '--native', top, '--name', 'K*']);
      expect(found).toMatchObject({ code: 0, out: `${keyspace}\n`, err: '' });
      const { out } = await cli(['find', address, '--native', '--name', 'Keyspace', '--output', 'jsonl']);
      expect(JSON.parse(out)).toMatchObject({ path: keyspace, size: 3 });
      expect(await cli(['find', address, '--native', '--kind', 'Shard'])).toMatchObject({
        code: 2,
        err: expect.stringContaining('--native and --kind exclude one another'),
      });
    });
  });
}
