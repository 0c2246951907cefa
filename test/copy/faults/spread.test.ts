import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cli } from '../../support/cli.js';
import { PRODUCTS, type Server } from '../../support/products.js';
import { contents } from '../../support/topologies.js';
import { equal, plantSample } from '../followers.js';
import { Children } from './children.js';
import { newPlaces } from './places.js';

const products = ['zk2', 'etcd2'].map((name) =>
  PRODUCTS.find(({ implementation }) => implementation === name),
);
const isAvailable = products.every((product) => product?.available === true);
const servers: Server[] = [];
const children = new Children();
let folder: string;

beforeAll(async () => {
  if (!isAvailable) return;
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  for (const server of await Promise.all(products.map((product) => product?.start())))
    if (server !== undefined) servers.push(server);
});
afterAll(async () => {
  children.stop();
  await Promise.all(servers.map((server) => server.stop()));
  if (isAvailable) await rm(folder, { recursive: true, force: true });
});

test.runIf(isAvailable)(
  'a cell whose process is killed keeps the global part from being committed, until it has gone on',
  { timeout: 120_000 },
  async () => {
    const [from = '', to = ''] = servers.map((server) => server.servers);
    const places = newPlaces(
      { implementation: 'zk2', servers: from },
      { implementation: 'etcd2', servers: to },
    );
    await plantSample(places);
    const args = (part: string) => [
      ...['copy', places.source('global'), places.destination('global'), '--to-cell-root', places.cellRoot],
      ...['--cells', part, '--journal', join(folder, part)],
    ];
    const job = { implementation: 'etcd2' as const, maxOps: 4, applied: true };
    // The rate keeps a second transaction from being under way when the process dies.
    const slow = [...args('zone1'), '--rate', '4'];
    const killed = await children.run({ ...job, at: 2, applied: false, args: slow });
    expect(killed).toMatchObject({ signal: 'SIGKILL' });
    expect(await cli(args('zone2'))).toMatchObject({ code: 0, err: '' });
    expect((await contents(places.destination('zone1'))).size).toBeGreaterThan(0);
    const early = await cli(args('global'));
    expect(early).toMatchObject({ code: 4, err: expect.stringContaining('cell zone1 is not copied yet') });
    expect((await contents(places.destination('global'))).size).toBe(0);
    const resumed = await children.run({ ...job, at: 0, args: [...args('zone1'), '--resume'] });
    expect(resumed).toMatchObject({ code: 0, signal: null });
    expect(await cli(args('global'))).toMatchObject({ code: 0, err: '' });
    expect(await equal(places)).toBe(true);
  },
);
