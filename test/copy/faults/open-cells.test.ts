import { beforeEach, expect, test } from 'vitest';
import { memoryStore } from '../../../src/backends/memory/stores.js';
import { parseAddress } from '../../../src/topo/address.js';
import { encode } from '../../../src/topo/codec.js';
import { cli } from '../../support/cli.js';
import { withStore } from '../../support/topologies.js';
import { type Places, placesInMemory, plantSample } from '../followers.js';
import { StartingTablets } from './vttablet.js';

const WARNING = /has CellInfo already \(zone1\).*keep them away/;
let places: Places;
let args: string[];

beforeEach(async () => {
  places = placesInMemory();
  await plantSample(places);
  const { server, root } = parseAddress(places.destination('zone1'));
  const info = encode('topodata.CellInfo', { server_address: server, root });
  await withStore(places.destination('global'), (store) => store.create('cells/zone1/CellInfo', info));
  args = ['copy', places.source('global'), places.destination('global'), '--to-cell-root', places.cellRoot];
});

test('a copy into a destination that has CellInfo already warns before it writes, and not once all is there', async () => {
  const tablets = await StartingTablets.of(places, /^$/);
  try {
    // Whoever starts there now finds a cell, and nothing in it.
    expect(await tablets.missing()).not.toEqual([]);
    const memory = memoryStore(parseAddress(places.destination('global')).server);
    const held: number[] = [];
    const onOut = () => held.push(memory.recordsBelow('vitess').length);
    const first = await cli(args, {}, { onOut });
    expect(first).toMatchObject({ code: 0, out: expect.stringMatching(WARNING) });
    expect(first.out.slice(0, first.out.search(/^done/m))).toMatch(WARNING);
    expect(held[0]).toBe(1);
    expect(await tablets.missing()).toEqual([]);
    expect((await cli(args)).out).not.toMatch(WARNING);
  } finally {
    await tablets.close();
  }
});

test('it does so beside the document for programs', async () => {
  expect((await cli([...args, '--output', 'json'])).err).toMatch(WARNING);
  expect((await cli([...args, '--output', 'json'])).err).toBe('');
});
