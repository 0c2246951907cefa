import { describe, expect, it } from 'vitest';
import { classify, KINDS, recordFileName } from '../../src/topo/kinds.js';

const kindOf = (scope: 'global' | 'cell', path: string, ephemeral = false) =>
  classify(scope, path, ephemeral).kind;

/** A path that fits a pattern, its names filled with `name`. */
const example = (pattern: string, name: string) =>
  pattern.replaceAll(/\{\w+\}/g, name).replace('**', 'below');

describe('a record has the kind of its position', () => {
  it.each(KINDS.map((row) => [row.pattern, row] as const))('%s', (pattern, row) => {
    const scope = row.scope === 'any' ? 'global' : row.scope;
    for (const name of ['ks', 'locks', 'Lock', 'elections', 'shards', 'tablets', 'Keyspace', 'cells'])
      expect(classify(scope, example(pattern, name), row.holds === 'ephemeral')).toBe(row);
  });

  it('in its own kind of store only', () => {
    expect(kindOf('cell', 'keyspaces/ks/Keyspace')).toBe('Unknown');
    expect(kindOf('cell', 'cells/zone1/CellInfo')).toBe('Unknown');
    expect(kindOf('global', 'tablets/zone1-0000000100/Tablet')).toBe('Unknown');
    expect(kindOf('global', 'SrvVSchema')).toBe('Unknown');
    expect(kindOf('cell', 'elections/vtctld')).toBe('Unknown');
  });

  it('by the full path, never by its last name', () => {
    expect(kindOf('global', 'Keyspace')).toBe('Unknown');
    expect(kindOf('global', 'custom/Keyspace')).toBe('Unknown');
    expect(kindOf('global', 'keyspaces/Keyspace')).toBe('Unknown');
    expect(kindOf('global', 'keyspaces/ks/shards/Shard')).toBe('Unknown');
    expect(kindOf('global', 'keyspaces/ks/shards/0/extra/Shard')).toBe('Unknown');
    expect(kindOf('global', 'Rules')).toBe('Unknown');
    expect(kindOf('global', 'metadata/a/b')).toBe('Unknown');
    expect(kindOf('cell', 'SvrVSchema')).toBe('Unknown');
    expect(kindOf('global', 'keyspacesX/ks/Keyspace')).toBe('Unknown');
  });
});

describe('a lock is known by position and by being ephemeral', () => {
  it.each([
    'keyspaces/ks/locks/0000000012',
    'keyspaces/ks/shards/-80/locks/7587862094371523338',
    'keyspaces/locks/locks/1',
    'keyspaces/ks/Lock',
    'keyspaces/Lock/Lock',
    'keyspaces/ks/shards/0/Lock',
    'routing_rules/locks/1',
    'routing_rules/Lock',
    'internal/named_locks/target/workflow/locks/1',
    'internal/named_locks/target/workflow/Lock',
  ])('%s, held', (path) => {
    const row = classify('global', path, true);
    expect(row.kind).toBe('Lock');
    expect(row.copied).toBe(false);
  });

  it('a plain node left in a locks directory is a lock still, since waiters count every node there', () => {
    for (const path of [
      'keyspaces/ks/locks/0000000012',
      'keyspaces/ks/locks/left/over',
      'keyspaces/ks/shards/0/locks/README',
      'internal/named_locks/target/workflow/locks/1',
    ])
      expect(kindOf('global', path), path).toBe('Lock');
  });

  it('a plain file in the place of a locks directory is not copied: nobody could lock there', () => {
    expect(kindOf('global', 'keyspaces/ks/locks')).toBe('Lock');
    expect(kindOf('global', 'elections')).toBe('Election');
  });

  it('a plain file called Lock is an unknown file', () => {
    expect(classify('global', 'keyspaces/ks/Lock', false)).toMatchObject({ kind: 'Unknown', copied: true });
  });

  it('a keyspace or shard called locks, Lock or elections is no lock', () => {
    expect(kindOf('global', 'keyspaces/locks/Keyspace')).toBe('Keyspace');
    expect(kindOf('global', 'keyspaces/Lock/VSchema')).toBe('VSchema');
    expect(kindOf('global', 'keyspaces/elections/shards/locks/Shard')).toBe('Shard');
    expect(kindOf('cell', 'keyspaces/locks/shards/locks/ShardReplication')).toBe('ShardReplication');
    expect(kindOf('cell', 'keyspaces/locks/SrvKeyspace')).toBe('SrvKeyspace');
  });
});

describe('what is never copied', () => {
  it('anything ephemeral, wherever it is', () => {
    for (const [scope, path] of [
      ['global', 'keyspaces/ks/Keyspace'],
      ['global', 'custom/file'],
      ['cell', 'tablets/zone1-0000000100/pid'],
      ['cell', 'locks/1'],
    ] as const)
      expect(classify(scope, path, true), path).toMatchObject({ kind: 'Ephemeral', copied: false });
  });

  it('elections, ephemeral or left over', () => {
    expect(kindOf('global', 'elections/vtctld/locks/1', true)).toBe('Election');
    expect(kindOf('global', 'elections/vtctld/0000000001', false)).toBe('Election');
  });

  it("the project's own control records, in every store", () => {
    for (const scope of ['global', 'cell'] as const)
      for (const ephemeral of [true, false])
        expect(classify(scope, 'topo2topo/clients/1/slot', ephemeral)).toMatchObject({
          kind: 'Control',
          copied: false,
        });
    expect(kindOf('global', 'topo2topo')).toBe('Control');
    expect(kindOf('global', 'topo2topo2/epoch')).toBe('Unknown');
  });

  it('CellInfo is rewritten instead', () => {
    expect(classify('global', 'cells/zone.1/CellInfo', false).copied).toBe('rewritten');
  });
});

describe('a path is that of a record of a fixed name', () => {
  it.each([
    'cells/zone1/CellInfo',
    'cells_aliases/r/CellsAlias',
    'keyspaces/Keyspace/Keyspace',
    'keyspaces/ks/VSchema',
    'keyspaces/ks/SrvKeyspace',
    'keyspaces/ks/shards/0/Shard',
    'keyspaces/ks/shards/0/ShardReplication',
    'tablets/zone1-0000000100/Tablet',
    'RoutingRules',
    'ShardRoutingRules',
    'MirrorRules',
    'routing_rules/keyspace/Rules',
    'SrvVSchema',
    'workflows/1/Workflow',
  ])('%s', (path) => expect(recordFileName(path)).toBe(true));

  it.each([
    '',
    'keyspaces',
    'keyspaces/Keyspace',
    'keyspaces/ks/shards',
    'keyspaces/ks/shards/Shard',
    'keyspaces/ks/locks',
    'metadata/Keyspace',
    'ExternalClusters/vitess/Shard',
    'custom/Keyspace',
    'Keyspace',
  ])('not %s', (path) => expect(recordFileName(path)).toBe(false));
});
