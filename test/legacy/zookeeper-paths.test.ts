import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { companionsOf, fromZnode, type Located, toZnode } from '../../src/legacy/zookeeper-paths.js';

const GLOBAL: readonly (readonly [path: string, znode: string])[] = [
  ['keyspaces/ks/Keyspace', '/zk/global/vt/keyspaces/ks'],
  ['keyspaces/ks/VSchema', '/zk/global/vt/keyspaces/ks/vschema'],
  ['keyspaces/ks/shards/-80/Shard', '/zk/global/vt/keyspaces/ks/shards/-80'],
  // Names decide nothing: what is a keyspace or a shard is told by where it is.
  ['keyspaces/action/Keyspace', '/zk/global/vt/keyspaces/action'],
  ['keyspaces/vschema/VSchema', '/zk/global/vt/keyspaces/vschema/vschema'],
  ['keyspaces/shards/shards/action/Shard', '/zk/global/vt/keyspaces/shards/shards/action'],
  ['cells/nyc/CellInfo', '/zk/global/vt/cells/nyc/CellInfo'],
  ['RoutingRules', '/zk/global/vt/RoutingRules'],
  ['workflows/1/Workflow', '/zk/global/vt/workflows/1/Workflow'],
  ['metadata/a', '/zk/global/vt/metadata/a'],
  ['tablets/x', '/zk/global/vt/tablets/x'],
  ['keyspaces/ks/other', '/zk/global/vt/keyspaces/ks/other'],
  ['elections/vtctld', '/zk/global/vt/election/vtctld'],
];
const CELL: readonly (readonly [path: string, znode: string])[] = [
  ['tablets/nyc-0000000100/Tablet', '/zk/nyc/vt/tablets/0000000100'],
  ['tablets/nyc-4294967295/Tablet', '/zk/nyc/vt/tablets/4294967295'],
  ['keyspaces/ks/shards/0/ShardReplication', '/zk/nyc/vt/replication/ks/0'],
  ['keyspaces/ks/SrvKeyspace', '/zk/nyc/vt/ns/ks'],
  ['SrvVSchema', '/zk/nyc/vt/vschema'],
  // What old documents call the record: an unknown file.
  ['SvrVSchema', '/zk/nyc/vt/SvrVSchema'],
  ['topo2topo/epoch', '/zk/nyc/vt/topo2topo/epoch'],
];

test.each(GLOBAL)('the global store has %s at %s', (path, znode) => both({ cell: undefined, path }, znode));

test.each(CELL)('a cell has %s at %s', (path, znode) => both({ cell: 'nyc', path }, znode));

function both(located: Located, znode: string): void {
  expect(toZnode(located)).toBe(znode);
  expect(fromZnode(znode)).toMatchObject({ cell: located.cell, place: { path: located.path } });
}

test('a cell’s name may hold dots and dashes', () => {
  both(
    { cell: 'us-east.1', path: 'tablets/us-east.1-0000000001/Tablet' },
    '/zk/us-east.1/vt/tablets/0000000001',
  );
});

test.each([
  ['/zk/global/vt', { is: 'directory' }],
  ['/zk/global/vt/keyspaces', { is: 'directory' }],
  ['/zk/global/vt/keyspaces/ks/shards', { is: 'directory' }],
  ['/zk/global/vt/keyspaces/ks/action', { is: 'directory' }],
  ['/zk/global/vt/keyspaces/ks/action/0000000001', { is: 'lock', of: 'keyspaces/ks' }],
  ['/zk/global/vt/keyspaces/ks/actionlog/0000000001', { is: 'lock-result' }],
  ['/zk/global/vt/keyspaces/ks/shards/0/action/0000000001', { is: 'lock', of: 'keyspaces/ks/shards/0' }],
  ['/zk/global/vt/vschema', { is: 'vschemas' }],
  ['/zk/global/vt/election', { is: 'directory' }],
  ['/zk/global/vt/election/vtctld/0000000001', { is: 'election', path: 'elections/vtctld/0000000001' }],
  ['/zk/nyc/vt/tablets', { is: 'directory' }],
  ['/zk/nyc/vt/tablets/0000000100/action/0000000001', { is: 'lock', of: 'tablets/nyc-0000000100' }],
  ['/zk/nyc/vt/tablets/0000000100/actionlog/0000000001', { is: 'lock-result' }],
  ['/zk/nyc/vt/tablets/0000000100/pid', { is: 'pid' }],
  ['/zk/nyc/vt/replication/ks', { is: 'directory' }],
  ['/zk/nyc/vt/ns', { is: 'directory' }],
  ['/zk/nyc/vt/ns/ks/0', { is: 'derived', kind: 'SrvShard', keyspace: 'ks', shard: '0' }],
  ['/zk/nyc/vt/ns/ks/0/master', { is: 'derived', kind: 'EndPoints', path: 'ns/ks/0/master' }],
  ['/zk/nyc/vt/ns/ks/0/junk', { is: 'raw', path: 'ns/ks/0/junk' }],
  ['/zk/nyc/vt/ns/ks/0/action/0000000001', { is: 'lock', of: 'ns/ks/0' }],
])('%s is no record', (znode, place) => {
  expect(fromZnode(znode)?.place).toMatchObject(place);
});

test('nested nodes below a shard are paths of the replication graph', () => {
  const top = '/zk/global/vt/keyspaces/ks/shards/0/nyc-0000062344';
  expect(fromZnode(top)?.place).toEqual({
    is: 'replication-path',
    ...{ keyspace: 'ks', shard: '0', aliases: ['nyc-0000062344'] },
  });
  expect(fromZnode(`${top}/sfo-0000062345`)?.place).toMatchObject({
    aliases: ['nyc-0000062344', 'sfo-0000062345'],
  });
});

test.each([
  ['/zk/nyc/vt/tablets/100', 'not the number of a tablet'],
  ['/zk/nyc/vt/tablets/9999999999', 'not the number of a tablet'],
  ['/zk/nyc/vt/tablets/0000000100/else', 'below a tablet'],
  ['/zk/global/vt/keyspaces/ks/Keyspace', 'the record of this path is kept in /zk/global/vt/keyspaces/ks'],
  [
    '/zk/global/vt/keyspaces/ks/shards/0/Shard',
    'the record of this path is kept in /zk/global/vt/keyspaces/ks/shards/0',
  ],
  ['/zk/global/vt/elections/x', 'the record of this path is kept in /zk/global/vt/election/x'],
  ['/zk/nyc/vt/SrvVSchema', 'the record of this path is kept in /zk/nyc/vt/vschema'],
  ['/zk/nyc/vt/keyspaces/ks/SrvKeyspace', 'the record of this path is kept in /zk/nyc/vt/ns/ks'],
])('%s is named and left behind', (znode, why) => {
  expect(fromZnode(znode)?.place).toEqual({ is: 'stray', why });
});

test.each([
  '/zk',
  '/zk/nyc',
  '/zk/nyc/zkocc',
  '/vitess/global/cells',
  'zk/global/vt',
  '/zk//vt/x',
  '/zk/nyc/vt/a//b',
])('%s belongs to no topology', (znode) => expect(fromZnode(znode)).toBeUndefined());

describe('refused before anything is written', () => {
  test.each([
    [undefined, 'keyspaces/ks', 'is the place of a Keyspace'],
    [undefined, 'keyspaces/ks/vschema', 'is the place of a VSchema'],
    [undefined, 'keyspaces/ks/shards', 'is a directory'],
    [undefined, 'keyspaces/ks/shards/0', 'is the place of a Shard'],
    [undefined, 'keyspaces/ks/action/1', 'is a lock'],
    [undefined, 'keyspaces/ks/shards/0/nyc-1', 'is a path of the replication graph'],
    [undefined, 'vschema', 'is the VSchemas of all keyspaces in one'],
    [undefined, 'election/x', 'is an entry of an election'],
    ['nyc', 'vschema', 'is the place of a SrvVSchema'],
    ['nyc', 'ns/ks/0', 'is the place of a SrvShard'],
    ['nyc', 'replication/ks/0', 'is the place of a ShardReplication'],
    ['nyc', 'tablets/x', 'not the number of a tablet'],
    // The node has the number alone, so another cell’s tablet would come back as this one’s.
    ['nyc', 'tablets/sfo-0000000100/Tablet', 'not the number of a tablet'],
    ['nyc', 'tablets/nyc-100/Tablet', 'not the number of a tablet'],
  ])('%s %s', (cell, path, why) => {
    expect(() => toZnode({ cell, path })).toThrow(
      expect.objectContaining({ code: 'InvalidPath', path, message: expect.stringContaining(why) }),
    );
  });
});

test('whatever a canonical path is, it comes back or is refused; whatever a znode is, its record is kept there', () => {
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
    ...['action', 'actionlog', 'pid', 'master', 'x', '0000000001', 'locks'],
  );
  const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
  fc.assert(
    fc.property(path, fc.constantFrom(undefined, 'nyc'), (each, cell) => {
      const own = `/zk/${cell ?? 'global'}/vt/${each}`;
      const at = fromZnode(own)?.place;
      if (at !== undefined && 'path' in at && at.is !== 'derived')
        expect(toZnode({ cell, path: at.path })).toBe(own);
      let znode: string;
      try {
        znode = toZnode({ cell, path: each });
      } catch (error) {
        expect(error).toMatchObject({ code: 'InvalidPath', path: each });
        return;
      }
      expect(fromZnode(znode)).toMatchObject({ cell, place: { path: each } });
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  [undefined, 'keyspaces/ks/Keyspace', ['action', 'actionlog', 'shards']],
  [undefined, 'keyspaces/ks/shards/0/Shard', ['action', 'actionlog']],
  ['nyc', 'tablets/nyc-0000000001/Tablet', ['action', 'actionlog']],
  ['nyc', 'keyspaces/ks/SrvKeyspace', []],
  [undefined, 'keyspaces/ks/VSchema', []],
  [undefined, 'metadata/x', []],
])('of %s, %s comes with %j', (cell, path, names) => {
  const made = companionsOf({ cell, path });
  expect(made).toEqual(names.map((name) => `${toZnode({ cell, path })}/${name}`));
  for (const znode of made) expect(fromZnode(znode)?.place).toEqual({ is: 'directory' });
});
