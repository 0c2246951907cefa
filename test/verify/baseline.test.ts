import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { cli } from '../support/cli.js';
import { CopiedPair } from './copied-pair.js';

let pair: CopiedPair;
beforeEach(async () => {
  pair = await CopiedPair.make();
});
afterEach(() => pair.remove());

const TABLET = 'tablets/zone1-0000000100/Tablet';
const host = (hostname: string) =>
  encode('topodata.Tablet', { alias: { cell: 'zone1', uid: 100 }, hostname });
const both = async (path: string, bytes: Uint8Array | string, scope = 'global') => {
  await pair.put('source', scope, path, bytes);
  await pair.put('destination', scope, path, bytes);
};
const baseline = async (kind: 'backup' | 'certificate') => {
  if (kind === 'certificate') {
    expect(await pair.verify('--certificate', pair.at('before.json'))).toMatchObject({ code: 0 });
    return pair.at('before.json');
  }
  expect(
    await cli(['copy', pair.places.source('global'), `file:${pair.at('before.topo')}`, '--allow-locks']),
  ).toMatchObject({ code: 0 });
  return `file:${pair.at('before.topo')}`;
};
const verifiedSince = async (before: string) =>
  JSON.parse((await pair.verify('--authority', 'to', '--baseline', before, '--output', 'json')).out);

test.each(['backup', 'certificate'] as const)(
  'what moved in the authority has advanced, by a %s',
  async (kind) => {
    await both(TABLET, host('before'), 'zone1');
    const before = await baseline(kind);
    await pair.put('destination', 'zone1', TABLET, host('after'));
    const found = await verifiedSince(before);
    expect(found).toMatchObject({
      decision: 'accepted',
      differences: [
        {
          path: TABLET,
          class: 'advanced',
          since: { source: false, destination: true },
          fields: [{ path: 'tablet.hostname' }],
        },
      ],
    });
    expect(found.differences).toHaveLength(1);
  },
);

test.each(['backup', 'certificate'] as const)(
  'what moved in the other store has not, by a %s',
  async (kind) => {
    await both(TABLET, host('before'), 'zone1');
    const before = await baseline(kind);
    await pair.put('source', 'zone1', TABLET, host('after'));
    expect(await verifiedSince(before)).toMatchObject({
      decision: 'different',
      differences: [{ path: TABLET, class: 'repairable', since: { source: true, destination: false } }],
    });
  },
);

test('what moved in both stores has not: each field is looked at by itself', async () => {
  const tablet = (hostname: string, vt: number, mysql_hostname: string) =>
    encode('topodata.Tablet', {
      alias: { cell: 'zone1', uid: 100 },
      hostname,
      port_map: { vt },
      mysql_hostname,
    });
  await both(TABLET, tablet('before', 1, 'before'), 'zone1');
  const before = await baseline('backup');
  await pair.put('source', 'zone1', TABLET, tablet('before', 2, 'other'));
  await pair.put('destination', 'zone1', TABLET, tablet('after', 3, 'before'));
  const { differences } = await verifiedSince(before);
  expect(differences).toMatchObject([
    { path: TABLET, class: 'repairable', since: { source: true, destination: true } },
  ]);
  const fields = differences[0].fields.map((each: { path: string; class: string }) => [
    each.path,
    each.class,
  ]);
  expect(Object.fromEntries(fields)).toEqual({
    'tablet.hostname': 'advanced',
    'tablet.port_map[vt]': 'repairable',
    'tablet.mysql_hostname': 'repairable',
  });
});

test.each(['backup', 'certificate'] as const)(
  'what the store that was left has no more has not advanced, by a %s',
  async (kind) => {
    await both(TABLET, host('before'), 'zone1');
    const before = await baseline(kind);
    await pair.drop('source', 'zone1', TABLET);
    expect(await verifiedSince(before)).toMatchObject({
      decision: 'different',
      differences: [{ type: 'extra', path: TABLET, class: 'dangerous', since: { source: true } }],
    });
  },
);

test('a tablet that was stopped in the store that was left is none of its troubles; in the authority it is', async () => {
  await both(TABLET, host('before'), 'zone1');
  const before = await baseline('backup');
  await pair.put('source', 'zone1', TABLET, host(''));
  expect(await verifiedSince(before)).toMatchObject({ differences: [{ class: 'advanced' }] });
  await pair.put('source', 'zone1', TABLET, host('before'));
  await pair.put('destination', 'zone1', TABLET, host(''));
  expect(await verifiedSince(before)).toMatchObject({ differences: [{ class: 'dangerous' }] });
});

test('what the authority has no more is lost, what it made has advanced, and what processes never change keeps its class', async () => {
  await both(TABLET, host('before'), 'zone1');
  const before = await baseline('backup');
  await pair.drop('destination', 'zone1', TABLET);
  const made = TABLET.replace('100', '199');
  await pair.put('destination', 'zone1', made, host('made'));
  const shard = 'keyspaces/customer/shards/-80/Shard';
  await pair.put('destination', 'global', shard, encode('topodata.Shard', {}));
  const { differences } = await verifiedSince(before);
  const told = differences.map(
    (each: { type: string; path: string; class: string }) => `${each.type} ${each.path} ${each.class}`,
  );
  expect(told.sort()).toEqual(
    [`different ${shard} dangerous`, `extra ${made} advanced`, `missing ${TABLET} dangerous`].sort(),
  );
});

test('what differed before has not advanced since', async () => {
  await pair.put('source', 'zone1', TABLET, host('one'));
  await pair.put('destination', 'zone1', TABLET, host('other'));
  const before = pair.at('different.json');
  expect(await pair.verify('--certificate', before)).toMatchObject({ code: 1 });
  expect(await verifiedSince(before)).toMatchObject({
    decision: 'different',
    differences: [{ path: TABLET, class: 'repairable', since: { source: false, destination: false } }],
  });
});

test('a baseline is a backup or a certificate', async () => {
  expect(await pair.verify('--baseline', pair.places.source('global'))).toMatchObject({ code: 2 });
  writeFileSync(pair.at('x.json'), '{}');
  expect(await pair.verify('--baseline', pair.at('x.json'))).toMatchObject({ code: 3 });
});
