import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/topo/address.js';
import { newPlaces, type Side } from '../copy/faults/places.js';
import { differences, type Places, plantSample } from '../copy/followers.js';
import { FaultWay } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { loudSkip } from '../support/notices.js';
import { PRODUCTS, type Server } from '../support/products.js';
import { withStore } from '../support/topologies.js';
import { until } from '../support/until.js';
import { startPatrol } from './patrolling.js';

const LIMIT_MS = 120_000;
const PAIRS = PRODUCTS.map((from, index) => [from, PRODUCTS[(index + 1) % PRODUCTS.length] ?? from] as const);

const servers = new Map<string, Server>();
beforeAll(async () => {
  const started = PRODUCTS.filter(({ available }) => available);
  await Promise.all(started.map(async (product) => servers.set(product.name, await product.start())));
}, LIMIT_MS);
afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

describe.each(PRODUCTS)('$name', (product) => {
  test.runIf(product.available)(
    'a topology is not equal to itself behind other names of its servers, as a whole or in part',
    { timeout: LIMIT_MS },
    async () => {
      const direct = servers.get(product.name)?.servers ?? '';
      const way = await FaultWay.to(direct);
      try {
        const implementation = product.implementation as Side['implementation'];
        const places = newPlaces({ implementation, servers: direct }, { implementation, servers: direct });
        await plantSample(places);
        const behind = (scope: string) => places.source(scope).replace(direct, way.servers);
        const cells = ['zone1', 'zone2'].flatMap((cell) => {
          const { server, root } = parseAddress(behind(cell));
          return ['--to-cell', `${cell}=${server},${root}`];
        });
        const both = ['verify', places.source('global'), behind('global'), ...cells];
        for (const part of [[], ['--cells', 'global'], ['--cells', 'zone1']]) {
          const { code, out, err } = await cli([...both, ...part]);
          expect(err).toContain('the same place');
          expect({ code, out }).toEqual({ code: 4, out: '' });
        }
      } finally {
        await way.close();
      }
    },
  );
});

describe.each(PAIRS.map(([from, to]) => ({ from, to, name: `from ${from.name} to ${to.name}` })))(
  '$name',
  ({ from, to }) => {
    const isAvailable = from.available && to.available;
    if (!isAvailable) loudSkip(`repairing from ${from.name} to ${to.name}: a server is not there`);

    const copied = async (): Promise<{
      places: Places;
      verify: (...more: string[]) => ReturnType<typeof cli>;
    }> => {
      const sideOf = ({ implementation, name }: typeof from): Side => ({
        implementation: implementation as Side['implementation'],
        servers: servers.get(name)?.servers ?? '',
      });
      const places = newPlaces(sideOf(from), sideOf(to));
      await plantSample(places);
      const both = [places.source('global'), places.destination('global')];
      expect(await cli(['copy', ...both, '--to-cell-root', places.cellRoot])).toMatchObject({ code: 0 });
      return { places, verify: (...more) => cli(['verify', ...both, ...more]) };
    };

    test.runIf(isAvailable)(
      'a repair copies what differs from the side that is right, whichever that is',
      { timeout: LIMIT_MS },
      async () => {
        const { places, verify } = await copied();
        const put = (address: string, path: string, text: string) =>
          withStore(address, async (store) => void (await store.update(path, Buffer.from(text), null)));
        const repair = ['--repair', '--yes', '--settle', '0'];

        await put(places.destination('global'), 'metadata/owner', 'theirs');
        await withStore(places.destination('zone1'), (store) => store.delete('SrvVSchema', null));
        expect(await verify(...repair)).toMatchObject({
          code: 0,
          out: expect.stringContaining('wrote 2 records'),
        });
        expect(await differences(places)).toEqual([]);

        await put(places.destination('global'), 'metadata/owner', 'new');
        await put(places.source('zone2'), 'metadata/late', 'of a straggler');
        const back = [...repair, '--authority', 'to'];
        expect(await verify(...back)).toMatchObject({
          code: 4,
          err: expect.stringContaining('metadata/late'),
        });
        expect(await verify(...back, '--delete', '--max-delete', '1')).toMatchObject({ code: 0 });
        expect(await differences(places)).toEqual([]);
        expect(
          await withStore(places.source('global'), async (store) =>
            Buffer.from((await store.get('metadata/owner')).bytes).toString(),
          ),
        ).toBe('new');
      },
    );

    test.runIf(isAvailable)(
      'a patrol says when the sides differ, and when they are equal again, and names writes to the store that was left',
      { timeout: LIMIT_MS },
      async () => {
        const { places, verify } = await copied();
        const both = [places.source('global'), places.destination('global')];
        const patrol = startPatrol(both, ['--authority', 'to', '--settle', '1s']);
        try {
          expect(await patrol.told(1)).toEqual(['equal']);
          await withStore(places.source('zone2'), async (store) => {
            await store.update('metadata/late', Buffer.from('of a straggler'), null);
            await store.delete('metadata/late', null);
          });
          const lock = await withStore(places.source('global'), async (store) => {
            const held = await store.lock('keyspaces/commerce', '{}');
            await held.unlock();
            await store.update('metadata/owner', Buffer.from('of another'), null);
          });
          expect(lock).toBeUndefined();
          expect(await patrol.told(2)).toEqual(['equal', 'different']);
          const writes = () => patrol.events.filter(({ type }) => type === 'write');
          await until('the writes', () => writes().some(({ path }) => path === 'metadata/owner'));
          await until(
            'the deletion',
            () => writes().some(({ path }) => path === 'metadata/late') || from.name === 'Consul',
          );
          expect(new Set(writes().map(({ path }) => path))).toEqual(
            new Set([
              'metadata/owner',
              ...writes().flatMap(({ path }) => (path === 'metadata/late' ? [path] : [])),
            ]),
          );
          expect((await patrol.health()).status).toBe(503);
          expect(await verify('--authority', 'to', '--repair', '--yes', '--settle', '0')).toMatchObject({
            code: 0,
          });
          expect(await patrol.told(3)).toEqual(['equal', 'different', 'equal']);
          expect((await patrol.health()).status).toBe(200);
        } finally {
          patrol.stop();
        }
        expect((await patrol.done).code).toBe(0);
      },
    );
  },
);
