import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, cliJson } from '../../support/cli.js';
import { isNightly } from '../../support/nightly.js';
import { PRODUCTS, type Server } from '../../support/products.js';
import { contents, withStore } from '../../support/topologies.js';
import { type Places, plantSample, SCOPES } from '../followers.js';
import { Children } from './children.js';
import { newPlaces, type Side } from './places.js';

/** A process and a repair for each write take a minute: that is for the nightly tests. */
const MAX_OPS = 8;

describe.each(PRODUCTS)('a topology in $name', (product) => {
  let server: Server;
  let side: Side;
  let folder: string;
  let places: Places;
  const children = new Children();

  beforeAll(async () => {
    if (!product.available) return;
    server = await product.start();
    side = { implementation: product.implementation as Side['implementation'], servers: server.servers };
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    places = newPlaces(side, side);
    await plantSample(places);
  });
  afterAll(async () => {
    children.stop();
    if (!product.available) return;
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const everything = () => Promise.all(SCOPES.map((scope) => contents(places.source(scope))));

  test.runIf(product.available)('is restored from its backup after everything was lost', async () => {
    const source = places.source('global');
    const file = `file:${join(folder, 'backup.topo')}`;
    const before = await everything();
    expect(await cli(['backup', source, file])).toMatchObject({ code: 0, err: '' });
    expect(await cli(['verify', file, source])).toMatchObject({ code: 0 });
    for (const scope of SCOPES)
      await withStore(places.source(scope), async (store) => {
        for await (const { records } of store.scan(''))
          for (const { path } of records) await store.delete(path, null);
      });
    expect(await cli(['verify', file, source])).toMatchObject({ code: 1 });
    const restore = ['restore', file, source, '--recorded-cells'];
    const dry = await cli([...restore, '--dry-run']);
    expect(dry).toMatchObject({ code: 0, err: '', out: expect.stringContaining('dry run') });
    expect((await everything()).map(({ size }) => size)).toEqual([0, 0, 0]);
    expect(await cli(restore)).toMatchObject({ code: 0, err: '' });
    expect(await everything()).toEqual(before);
    expect(await cliJson(['verify', file, source])).toMatchObject({ equal: true });
  });

  test.runIf(isNightly && product.available && product.implementation === 'etcd2')(
    'has a backup that is whole or is not there, whenever it is killed',
    { timeout: 600_000 },
    async () => {
      const job = { implementation: 'file' as const, maxOps: MAX_OPS, applied: true };
      const backUp = (name: string) => ['backup', places.source('global'), `file:${join(folder, name)}`];
      const whole = await children.run({ ...job, at: 0, args: backUp('whole.topo') });
      expect(whole).toMatchObject({ code: 0, signal: null });
      const writes = whole.writes ?? 0;
      expect(writes).toBeGreaterThan(7);
      for (let at = 1; at <= writes; at++) {
        const name = `${at}.d/killed.topo`;
        await mkdir(join(folder, `${at}.d`));
        const killed = await children.run({ ...job, at, args: backUp(name) });
        expect(killed, `write ${at} of ${writes}`).toMatchObject({ signal: 'SIGKILL' });
        expect(await readdir(join(folder, `${at}.d`))).not.toContain('killed.topo');
        expect(
          await cli(['verify', `file:${join(folder, name)}`, places.source('global')]),
        ).not.toMatchObject({
          code: 0,
        });
        expect(await cli(backUp(name))).toMatchObject({ code: 0, err: '' });
        const file = `file:${join(folder, name)}`;
        expect(await cliJson(['verify', file, places.source('global')])).toMatchObject({ equal: true });
      }
    },
  );
});
