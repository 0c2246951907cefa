import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, cliJson } from '../../support/cli.js';
import { isNightly } from '../../support/nightly.js';
import { PRODUCTS, type Server } from '../../support/products.js';
import { withStore } from '../../support/topologies.js';
import { equal, type Places, plantSample } from '../followers.js';
import { Children } from './children.js';
import { newPlaces, nextDestination, PAIRS, type Side } from './places.js';
import { StartingTablets } from './vttablet.js';

/** The nightly tests cut transactions finer, and kill before each write, too: what the journal knows is then not done. */
const MAX_OPS = isNightly ? 1 : 16;
const LIMIT_MS = isNightly ? 900_000 : 240_000;

/** The first pair; at night all of them. */
const PAIRS_NOW = isNightly ? PAIRS : PAIRS.slice(0, 1);

describe.each(PAIRS_NOW)('a copy from %s to %s that is killed', (from, to) => {
  const products = [from, to].map((name) => PRODUCTS.find(({ implementation }) => implementation === name));
  const isAvailable = products.every((product) => product?.available === true);
  const servers: Server[] = [];
  const children = new Children();
  let folder: string;
  let sides: [Side, Side];

  beforeAll(async () => {
    if (!isAvailable) return;
    const [a, b] = await Promise.all(products.map((product) => product?.start()));
    if (a === undefined || b === undefined) throw new Error('no server');
    servers.push(a, b);
    sides = [
      { implementation: from, servers: a.servers },
      { implementation: to, servers: b.servers },
    ];
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  });
  afterAll(async () => {
    children.stop();
    await Promise.all(servers.map((server) => server.stop()));
    if (isAvailable) await rm(folder, { recursive: true, force: true });
  });

  const copyArgs = ({ source, destination, cellRoot }: Places, journal: string) => [
    ...['copy', source('global'), destination('global'), '--to-cell-root', cellRoot],
    ...['--concurrency', '1', '--journal', journal],
  ];

  test.runIf(isAvailable)(
    'at any write is of no use to a vttablet, and goes on to end as an undisturbed one',
    { timeout: LIMIT_MS },
    async () => {
      const job = { implementation: to, maxOps: MAX_OPS, applied: true };
      const undisturbed = newPlaces(...sides);
      await plantSample(undisturbed);
      const whole = await children.run({
        ...job,
        at: 0,
        args: copyArgs(undisturbed, join(folder, 'whole')),
      });
      expect(whole).toMatchObject({ code: 0, signal: null });
      expect(await equal(undisturbed)).toBe(true);
      const writes = whole.writes ?? 0;
      expect(writes).toBeGreaterThan(3);

      const { bytes } = await withStore(undisturbed.source('global'), (store) =>
        store.get('custom/dashboard.bin'),
      );
      const kills = Array.from({ length: writes }, (_, i) => ({ at: i + 1, applied: true }));
      const before = isNightly
        ? kills.map(({ at }) => ({ at, applied: false }))
        : [{ at: 1, applied: false }];
      for (const kill of [...before, ...kills]) {
        const what = `killed ${kill.applied ? 'after' : 'before'} write ${kill.at} of ${writes}`;
        const places = nextDestination(undisturbed, sides[1]);
        const args = copyArgs(places, join(folder, `${to}-${kill.at}-${kill.applied}`));
        const tablets = await StartingTablets.of(places, /^metadata\//);
        try {
          const killed = await children.run({ ...job, ...kill, args });
          expect(killed, what).toMatchObject({ signal: 'SIGKILL' });
          expect(await tablets.missing(), what).toEqual([]);
          // What it may have written is changed, and deleted, before it goes on.
          await withStore(places.source('global'), async (store) => {
            await store.update('metadata/owner', Buffer.from(what), null);
            await store.delete('custom/dashboard.bin', null);
          });
          const resumed = await cli([...args, '--resume']);
          expect(resumed.code, `${what}: ${resumed.err}`).toBe(0);
          expect(await equal(places), what).toBe(true);
          expect(await tablets.missing(), what).toEqual(['global:custom/dashboard.bin']);
          expect(await cliJson(args), what).toMatchObject({ written: 0 });
        } finally {
          await tablets.close();
          await withStore(places.source('global'), (store) => store.create('custom/dashboard.bin', bytes));
        }
      }
    },
  );
});
