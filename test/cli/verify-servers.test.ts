import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPlaces, type Side } from '../copy/faults/places.js';
import { differences, type Places, plantSample } from '../copy/followers.js';
import { cli } from '../support/cli.js';
import { loudSkip } from '../support/notices.js';
import { PRODUCTS, type Server } from '../support/products.js';
import { withStore } from '../support/topologies.js';

const LIMIT_MS = 120_000;
const PAIRS = PRODUCTS.map((from, index) => [from, PRODUCTS[(index + 1) % PRODUCTS.length] ?? from] as const);

const servers = new Map<string, Server>();
beforeAll(async () => {
  const started = PRODUCTS.filter(({ available }) => available);
  await Promise.all(started.map(async (product) => servers.set(product.name, await product.start())));
}, LIMIT_MS);
afterAll(() => Promise.all([...servers.values()].map((server) => server.stop())));

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
  },
);
