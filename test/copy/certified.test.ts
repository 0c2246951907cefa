import { afterEach, beforeEach, expect, test } from 'vitest';
import { placesInMemory, plantSample } from '../copy/followers.js';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';
import { CopiedPair } from '../verify/copied-pair.js';

let pair: CopiedPair;
beforeEach(async () => {
  pair = await CopiedPair.make();
  await pair.verify('--certificate', pair.at('c.json'));
});
afterEach(() => pair.remove());

const copy = (...more: string[]) =>
  cli(['copy', ...pair.addresses, '--allow-extra', '--last-run-certificate', pair.at('c.json'), ...more]);

test('a source that holds as much as its certificate says is copied', async () => {
  await pair.put('source', 'global', 'metadata/owner', 'changed');
  expect(await copy()).toMatchObject({ code: 0, out: expect.stringContaining('wrote 1 record') });
});

test('a cell whose tablets are fewer by more than a tenth stops a copy, and --allow-shrunk lets it pass', async () => {
  for (const uid of [102, 202]) await pair.drop('source', 'zone1', `tablets/zone1-0000000${uid}/Tablet`);
  const tablets = [...(await contents(pair.places.source('zone1'))).keys()].filter((path) =>
    /Tablet$/.test(path),
  );
  expect(await copy()).toMatchObject({
    code: 4,
    err: expect.stringContaining(`zone1: Tablet, ${tablets.length} after ${tablets.length + 2}`),
  });
  expect(await copy('--kinds', 'Shard')).toMatchObject({ code: 0 });
  expect(await copy('--kinds', 'Shard,Tablet')).toMatchObject({ code: 4 });
  expect(await copy('--allow-shrunk')).toMatchObject({ code: 0 });
});

test('a keyspace that lost a record is named by its kind and keyspace', async () => {
  await pair.drop('source', 'global', 'keyspaces/customer/VSchema');
  expect(await copy()).toMatchObject({
    code: 4,
    err: expect.stringContaining('global: VSchema of customer, 0 after 1'),
  });
  expect(await copy('--cells', 'zone1')).toMatchObject({ code: 0 });
});

test('tablets of other keyspaces do not stand in for those that a certificate of one keyspace counted', async () => {
  const file = pair.at('commerce.json');
  await pair.verify('--keyspace', 'commerce', '--certificate', file);
  const run = () =>
    cli([
      'copy',
      ...pair.addresses,
      '--allow-extra',
      '--keyspace',
      'commerce',
      '--last-run-certificate',
      file,
    ]);
  expect(await run()).toMatchObject({ code: 0 });
  await pair.drop('source', 'zone1', 'tablets/zone1-0000000102/Tablet');
  expect(await run()).toMatchObject({
    code: 4,
    err: expect.stringContaining('zone1: Tablet, 1 after 2'),
  });
});

test('the other side of a certificate counts where the copy goes back', async () => {
  await pair.drop('destination', 'global', 'keyspaces/customer/VSchema');
  const [from = '', to = ''] = pair.addresses;
  expect(
    await cli(['copy', to, from, '--allow-extra', '--last-run-certificate', pair.at('c.json')]),
  ).toMatchObject({ code: 4, err: expect.stringContaining('VSchema of customer, 0 after 1') });
});

test('a repair takes it, too', async () => {
  await pair.drop('source', 'global', 'keyspaces/customer/VSchema');
  const repair = ['--repair', '--yes', '--delete', '--max-delete', '1'];
  expect(await pair.verify(...repair, '--last-run-certificate', pair.at('c.json'))).toMatchObject({
    code: 4,
    err: expect.stringContaining('VSchema of customer, 0 after 1'),
  });
});

test('a certificate of other stores, of a selection, or none at all, is refused', async () => {
  const others = placesInMemory();
  await plantSample(others);
  expect(
    await cli([
      'copy',
      others.source('global'),
      others.destination('global'),
      '--to-cell-root',
      others.cellRoot,
      '--last-run-certificate',
      pair.at('c.json'),
    ]),
  ).toMatchObject({ code: 4, err: expect.stringContaining('is of other stores') });
  expect((await contents(others.destination('global'))).size).toBe(0);
  await pair.verify('--cells', 'zone1', '--certificate', pair.at('zone1.json'));
  const narrowed = ['copy', ...pair.addresses, '--last-run-certificate', pair.at('zone1.json')];
  expect(await cli(narrowed)).toMatchObject({ code: 2, err: expect.stringContaining('is of a selection') });
  expect(await cli([...narrowed, '--cells', 'zone1'])).toMatchObject({ code: 0 });
  expect(
    await cli(['copy', ...pair.addresses, '--last-run-certificate', pair.at('nowhere.json')]),
  ).toMatchObject({ code: 2 });
});
