import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.js';
import { addressOn, PRODUCTS, type Server } from '../support/products.js';
import { contents } from '../support/topologies.js';
import { BUILDING, LOOKING, lineOf, type Place, placeOf, SHOWING, TAKING_APART } from './vtctl-lines.js';

const LIMIT_MS = 120_000;

for (const product of PRODUCTS) {
  describe.runIf(product.available)(`vtctl on ${product.implementation}`, { timeout: LIMIT_MS }, () => {
    let server: Server;
    let place: Place;
    beforeAll(async () => {
      server = await product.start();
      place = placeOf(product.implementation, server.servers, product.root);
    }, LIMIT_MS);
    afterAll(() => server?.stop());

    const at = (scope: string) => addressOn(product, server, scope);

    test('builds a topology', async () => {
      for (const line of BUILDING) {
        const { code, out, err } = await cli(lineOf(place, line));
        expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
        if (!line.startsWith('Apply')) expect({ line, out }).toEqual({ line, out: '' });
      }
    });

    test.each([...LOOKING, ...SHOWING])('%s', async (line, printed) => {
      const { code, out, err } = await cli(lineOf(place, line));
      expect({ code, err }).toEqual({ code: 0, err: '' });
      if (typeof printed === 'string') expect(out).toBe(printed);
      else if (printed instanceof RegExp) expect(out).toMatch(printed);
      else expect(JSON.parse(out)).toEqual(printed);
    });

    test('leaves no lock behind, and takes the topology apart again', async () => {
      const locks = await cli(['locks', 'list', at('global')]);
      expect(locks).toMatchObject({ code: 0, out: expect.stringContaining('no locks') });
      for (const line of TAKING_APART) {
        const { code, err } = await cli(lineOf(place, line));
        expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
      }
      expect([...(await contents(at('global'))).keys()]).toEqual([]);
      const left = await Promise.all(
        ['zone1', 'zone2'].map(async (cell) => [...(await contents(at(cell))).keys()]),
      );
      expect(left).toEqual([['SrvVSchema'], ['SrvVSchema']]);
    });
  });
}
