import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAddresses, writeAddresses } from '../../src/legacy/cell-addresses.js';
import {
  companionKeys,
  fromKey,
  isFreeLock,
  lockKey,
  OPEN_LOCK,
  toKey,
} from '../../src/legacy/etcd-paths.js';
import { decode, encode } from '../../src/topo/codec.js';

test.each([
  [undefined, 'keyspaces/ks/Keyspace', '/vt/keyspaces/ks/_Data'],
  [undefined, 'keyspaces/ks/VSchema', '/vt/keyspaces/ks/_VSchema'],
  [undefined, 'keyspaces/ks/shards/-80/Shard', '/vt/keyspaces/ks/-80/_Data'],
  [undefined, 'keyspaces/ks/shards/shards/Shard', '/vt/keyspaces/ks/shards/_Data'],
  [undefined, 'cells/nyc/CellInfo', '/vt/cells/nyc'],
  [undefined, 'cells_aliases/a/CellsAlias', '/vt/cells_aliases/a/CellsAlias'],
  [undefined, 'RoutingRules', '/vt/RoutingRules'],
  [undefined, 'elections/vtctld', '/vt/election/vtctld'],
  ['nyc', 'tablets/nyc-0000000100/Tablet', '/vt/tablets/nyc-0000000100/_Data'],
  ['nyc', 'tablets/nyc-100/Tablet', '/vt/tablets/nyc-100/_Data'],
  ['nyc', 'keyspaces/ks/shards/0/ShardReplication', '/vt/replication/ks/0/_Data'],
  ['nyc', 'keyspaces/ks/SrvKeyspace', '/vt/ns/ks/_Data'],
  ['nyc', 'SrvVSchema', '/vt/ns/_VSchema'],
  ['nyc', 'SvrVSchema', '/vt/SvrVSchema'],
  ['nyc', 'topo2topo/epoch', '/vt/topo2topo/epoch'],
])('%s has %s at %s', (cell, path, key) => {
  expect(toKey({ cell, path })).toBe(key);
  expect(fromKey(cell, key)).toMatchObject({ path });
});

test.each([
  [undefined, '/vt', { is: 'directory' }],
  [undefined, '/vt/keyspaces', { is: 'directory' }],
  [undefined, '/vt/keyspaces/ks', { is: 'directory' }],
  [undefined, '/vt/keyspaces/ks/-80', { is: 'directory' }],
  [undefined, '/vt/vschema', { is: 'vschemas' }],
  [undefined, '/vt/keyspaces/ks/_Lock', { is: 'lock', of: 'keyspaces/ks' }],
  [undefined, '/vt/keyspaces/ks/-80/_Lock', { is: 'lock', of: 'keyspaces/ks/shards/-80' }],
  [undefined, '/vt/routing_rules/_Lock', { is: 'lock', of: 'routing_rules' }],
  [undefined, '/vt/election/vtctld/1', { is: 'election', path: 'elections/vtctld/1' }],
  ['nyc', '/vt/tablets/nyc-0000000001', { is: 'directory' }],
  ['nyc', '/vt/tablets/nyc-0000000001/_Lock', { is: 'lock', of: 'tablets/nyc-0000000001' }],
  ['nyc', '/vt/ns/ks/0/_Lock', { is: 'lock', of: 'ns/ks/0' }],
  [
    'nyc',
    '/vt/ns/ks/0/_Data',
    { is: 'derived', kind: 'SrvShard', path: 'ns/ks/0', keyspace: 'ks', shard: '0' },
  ],
  ['nyc', '/vt/ns/ks/0/master/_Data', { is: 'derived', kind: 'EndPoints', path: 'ns/ks/0/master' }],
  ['nyc', '/vt/ns/ks/0/junk/_Data', { is: 'stray', why: 'not a type of tablet', hidden: true }],
  ['nyc', '/vt/tablets/junk/_Data', { is: 'stray', why: 'not the name of a tablet', hidden: true }],
  ['nyc', '/vt/replication/ks/0', { is: 'directory' }],
])('of %s, %s is no record', (cell, key, place) => {
  expect(fromKey(cell, key)).toMatchObject(place);
});

test.each([
  [undefined, '/vt/keyspaces/ks/_Other', 'a hidden key that nothing is known of'],
  [undefined, '/vt/keyspaces/_ks/_Data', 'a hidden key that nothing is known of'],
  [
    undefined,
    '/vt/keyspaces/ks/shards/0/Shard',
    'the record of this path is kept in /vt/keyspaces/ks/0/_Data',
  ],
  ['nyc', '/vt/SrvVSchema', 'the record of this path is kept in /vt/ns/_VSchema'],
  ['nyc', '/vt/tablets/x', 'not the name of a tablet'],
  ['nyc', '/vt/tablets/nyc-0000000001/else', 'not the name of a tablet'],
])('of %s, %s is named and left behind', (cell, key, why) => {
  expect(fromKey(cell, key)).toEqual({ is: 'stray', why });
});

test.each(['/', '/vitess/x', '/vtx', '/vt/a//b', 'vt/a'])('%s belongs to no topology', (key) => {
  expect(fromKey(undefined, key)).toBeUndefined();
});

describe('refused before anything is written', () => {
  test.each([
    [undefined, 'keyspaces/ks', 'is a directory'],
    [undefined, 'keyspaces/ks/0', 'is a directory'],
    [undefined, 'keyspaces/ks/0/_Data', 'etcd hides names'],
    [undefined, 'keyspaces/_ks/Keyspace', 'etcd hides names'],
    [undefined, 'keyspaces/ks/shards/_Data/Shard', 'etcd hides names'],
    [undefined, 'cells/nyc', 'is the addresses of a cell'],
    [undefined, 'vschema', 'is the VSchemas of all keyspaces in one'],
    [undefined, 'election/x', 'is an entry of an election'],
    ['nyc', 'ns/ks', 'is a directory'],
    ['nyc', 'tablets/x', 'not the name of a tablet'],
    ['nyc', 'tablets/x/Tablet', 'not the name of a tablet'],
  ])('%s %s', (cell, path, why) => {
    expect(() => toKey({ cell, path })).toThrow(
      expect.objectContaining({ code: 'InvalidPath', path, message: expect.stringContaining(why) }),
    );
  });
});

test('whatever a canonical path is, it comes back or is refused; whatever a key is, its record is kept there', () => {
  const segment = fc.constantFrom(
    ...[
      'keyspaces',
      'ks',
      'shards',
      '0',
      'Shard',
      'Keyspace',
      'VSchema',
      'vschema',
      'tablets',
      'nyc-0000000001',
    ],
    ...[
      'Tablet',
      'SrvVSchema',
      'SrvKeyspace',
      'ShardReplication',
      'ns',
      'replication',
      'election',
      'elections',
    ],
    ...['_Data', '_VSchema', '_Lock', 'cells', 'CellInfo', 'x', 'locks'],
  );
  const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(path, fc.constantFrom(undefined, 'nyc'), (each, cell) => {
      const at = fromKey(cell, `/vt/${each}`);
      if (at !== undefined && 'path' in at && at.is !== 'derived' && at.is !== 'election')
        expect(toKey({ cell, path: at.path })).toBe(`/vt/${each}`);
      let key: string;
      try {
        key = toKey({ cell, path: each });
      } catch (error) {
        expect(error).toMatchObject({ code: 'InvalidPath', path: each });
        return;
      }
      expect(fromKey(cell, key)).toMatchObject({ path: each });
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  [undefined, 'keyspaces/ks', '/vt/keyspaces/ks/_Lock'],
  [undefined, 'keyspaces/ks/shards/-80', '/vt/keyspaces/ks/-80/_Lock'],
  [undefined, 'routing_rules', '/vt/routing_rules/_Lock'],
  [undefined, '', '/vt/_Lock'],
  ['nyc', 'tablets/nyc-0000000001', '/vt/tablets/nyc-0000000001/_Lock'],
])('of %s, the lock of %s is %s', (cell, directory, key) => {
  expect(lockKey(cell, directory)).toBe(key);
  expect(fromKey(cell, key)).toEqual({ is: 'lock', of: directory, fixed: true });
});

describe('the addresses of a cell', () => {
  const path = 'cells/nyc/CellInfo';
  const bytes = (json: { [name: string]: string }) => encode('topodata.CellInfo', json);
  const none = new Set<never>();

  test('are its CellInfo, and the other way round', () => {
    const text = 'http://127.0.0.1:4001,http://127.0.0.1:4002';
    const info = readAddresses(path, Buffer.from(`${text}\n`));
    expect(decode('topodata.CellInfo', info).json).toEqual({ server_address: text, root: '/vt' });
    expect(writeAddresses(path, info, none)).toEqual(Buffer.from(text));
  });

  test.each(['', ' ', 'http://a:1 http://b:1', '\u0000'])('%j is no text of addresses', (text) => {
    expect(() => readAddresses(path, Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'Corrupt', path }),
    );
  });

  test('have no room for another root, a region, or fields of versions to come', () => {
    const info = Buffer.concat([
      bytes({ server_address: 'http://a:1', root: '/other', region: 'r' }),
      Buffer.from('f8f00401', 'hex'),
    ]);
    expect(() => writeAddresses(path, info, none)).toThrow(
      expect.objectContaining({
        code: 'Unsupported',
        losses: ['root', 'region', '#9999'].map((field) => expect.objectContaining({ path, field })),
      }),
    );
    expect(writeAddresses(path, info, new Set(['newer-field'] as const))).toEqual(Buffer.from('http://a:1'));
  });
});

test('a keyspace and a shard come with their lock, which is free', () => {
  const made = (cell: string | undefined, path: string) => [...companionKeys({ cell, path })];
  expect(made(undefined, 'keyspaces/ks/Keyspace')).toEqual([['/vt/keyspaces/ks/_Lock', OPEN_LOCK]]);
  expect(made(undefined, 'keyspaces/ks/shards/0/Shard')).toEqual([['/vt/keyspaces/ks/0/_Lock', OPEN_LOCK]]);
  expect(made(undefined, 'keyspaces/ks/VSchema')).toEqual([]);
  expect(made('nyc', 'tablets/nyc-0000000001/Tablet')).toEqual([]);
  expect(['', OPEN_LOCK, '{"Action": "x"}'].map(isFreeLock)).toEqual([true, true, false]);
});
