import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type KeyspaceGraphInput, rebuildSrvKeyspace } from '../../src/graph/srv-keyspace.js';
import { parseTarget } from '../../src/graph/target.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { keyRangeOfShard } from '../../src/topo/names.js';

function shard(name: string, more: JsonObject = {}) {
  const range = keyRangeOfShard(name);
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  const json: JsonObject = {
    ...(range && { key_range: { start: base64(range.start), end: base64(range.end) } }),
    is_primary_serving: true,
    ...more,
  };
  return { name, bytes: encode('topodata.Shard', json) };
}

function rebuild(shards: ReturnType<typeof shard>[], more: Partial<KeyspaceGraphInput> = {}, version = '24') {
  const input = {
    keyspace: new Uint8Array(),
    shards,
    cells: ['zone1'],
    current: new Map(),
    allowPartial: false,
  };
  const made = rebuildSrvKeyspace({ ...input, ...more }, parseTarget(version));
  return Object.fromEntries(
    [...made].map(([cell, bytes]) => [cell, decode('topodata.SrvKeyspace', bytes).json]),
  );
}

/** Names of the shards of each partition, by type. */
function served(json: JsonObject | undefined): Record<string, string[]> {
  const partitions = (json?.['partitions'] ?? []) as {
    served_type: string;
    shard_references: { name: string }[];
  }[];
  return Object.fromEntries(
    partitions.map(({ served_type, shard_references }) => [
      served_type,
      shard_references.map(({ name }) => name),
    ]),
  );
}

/** Shards that cover everything, in random order: cut at random places. */
const covering = fc
  .uniqueArray(fc.integer({ min: 1, max: 0xffff }), { maxLength: 12 })
  .map((cuts) => cuts.sort((a, b) => a - b).map((cut) => cut.toString(16).padStart(4, '0')))
  .map((cuts) => ['', ...cuts].map((cut, i) => `${cut}-${cuts[i] ?? ''}`));

const permuted = covering.chain((names) =>
  fc.tuple(fc.constant(names), fc.shuffledSubarray(names, { minLength: names.length })),
);

describe('any version from 12 on', () => {
  test.each(['12', '16.0.1', '17', '21', '24'])(
    '%s: shards that cover everything are served in order',
    (version) => {
      fc.assert(
        fc.property(permuted, ([names, mixed]) => {
          const { zone1 } = rebuild(
            mixed.map((name) => shard(name)),
            {},
            version,
          );
          expect(served(zone1)).toEqual({ PRIMARY: names, REPLICA: names, RDONLY: names });
        }),
        { numRuns: 50 },
      );
    },
  );

  test('without one of them it is refused, whichever it is', () => {
    fc.assert(
      fc.property(
        covering.filter((names) => names.length > 1),
        fc.nat(),
        (names, at) => {
          const left = names.filter((_, i) => i !== at % names.length);
          expect(() => rebuild(left.map((name) => shard(name)))).toThrow(
            /does not (start with min|end with max) key|non-contiguous/,
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('refusals, in the words of Vitess', () => {
  const refusal = (names: string[], version = '24') => {
    return () =>
      rebuild(
        names.map((name) => shard(name)),
        {},
        version,
      );
  };

  test.each([
    [['40-80', '80-'], 'keyspace partition for PRIMARY in cell zone1 does not start with min key'],
    [['-40', '40-80'], 'keyspace partition for PRIMARY in cell zone1 does not end with max key'],
    [['-40', '80-'], 'non-contiguous KeyRange values for PRIMARY in cell zone1 at shard 0 to 1: 40 != 80'],
    [['-80', '40-'], 'non-contiguous KeyRange values for PRIMARY in cell zone1 at shard 0 to 1: 80 != 40'],
    [['0', '-'], 'shards with inconsistent KeyRanges for PRIMARY in cell zone1. shards: -, 0'],
  ])('%j: %s', (names, message) => {
    expect(refusal(names)).toThrow(expect.objectContaining({ code: 'Guard', message }));
  });

  test('a name that is no shard’s is illegal', () => {
    const bad = { name: '80-40', bytes: new Uint8Array() };
    expect(() => rebuild([bad])).toThrow(expect.objectContaining({ code: 'InvalidPath' }));
  });

  test('a Shard that does not decode is corrupt', () => {
    expect(() => rebuild([{ name: '0', bytes: Uint8Array.of(0xff) }])).toThrow(
      expect.objectContaining({ code: 'Corrupt' }),
    );
  });

  test('trailing zeros mean nothing from 17 on, and are filled up before', () => {
    const names = ['-80', '8000-'];
    for (const version of ['12', '16', '17', '24']) expect(refusal(names, version)).not.toThrow();
    expect(refusal(names, '11')).toThrow(/non-contiguous/);
  });

  test('a complete range beside another is not contiguous from 17 on', () => {
    const names = ['-', '00-'];
    expect(refusal(names, '24')).toThrow(/does not start with min key|non-contiguous/);
  });
});

describe('what counts', () => {
  test('custom shards without ranges are served together', () => {
    expect(served(rebuild([shard('a'), shard('b')])['zone1'])['PRIMARY']).toEqual(['a', 'b']);
  });

  test('a shard that does not serve is left out; none that serves gives an empty record and no error', () => {
    const split = [
      shard('-'),
      shard('-80', { is_primary_serving: false }),
      shard('80-', { is_primary_serving: false }),
    ];
    expect(served(rebuild(split)['zone1'])['RDONLY']).toEqual(['-']);
    expect(rebuild([shard('0', { is_primary_serving: false })])['zone1']).toEqual({});
  });

  test('every cell gets the same', () => {
    const { zone1, zone2 } = rebuild([shard('0')], { cells: ['zone1', 'zone2'] });
    expect(zone2).toEqual(zone1);
  });

  test('a partial snapshot keyspace is accepted from 9 on, when asked for', () => {
    const keyspace = encode('topodata.Keyspace', { keyspace_type: 'SNAPSHOT' });
    const shards = [shard('-40')];
    const more = { keyspace, allowPartial: true };
    expect(served(rebuild(shards, more)['zone1'])['PRIMARY']).toEqual(['-40']);
    expect(() => rebuild(shards, { keyspace })).toThrow(/does not end/);
    expect(() => rebuild(shards, { allowPartial: true })).toThrow(/does not end/);
    expect(() => rebuild(shards, more, '8')).toThrow(/does not end/);
  });

  test('a migration on its way stops it: a disabled query service, before 10 any control', () => {
    const current = (disabled: boolean) => {
      const control = { name: '0', query_service_disabled: disabled };
      const partitions = [{ served_type: 'REPLICA', shard_tablet_controls: [control] }];
      return { current: new Map([['zone1', encode('topodata.SrvKeyspace', { partitions })]]) };
    };
    const migration = /migration is on going\. TabletControls is set for partition REPLICA in cell zone1/;
    expect(() => rebuild([shard('0')], current(true))).toThrow(migration);
    expect(() => rebuild([shard('0')], current(false))).not.toThrow();
    expect(() => rebuild([shard('0')], current(false), '9')).toThrow(migration);
    expect(() => rebuild([shard('0', { served_types: [] })], current(true), '3')).not.toThrow();
  });

  test('throttler_config comes from Keyspace from 16.0.1 on, with the fields that this schema lacks', () => {
    const throttler = Buffer.concat([
      Buffer.from(encode('topodata.ThrottlerConfig', { enabled: true })),
      Buffer.from('c0f30401', 'hex'),
    ]);
    const keyspace = Buffer.concat([Buffer.from([0x4a, throttler.length]), throttler]);
    const made = (version: string) => {
      const input = { keyspace, shards: [], cells: ['zone1'], current: new Map(), allowPartial: false };
      return rebuildSrvKeyspace(input, parseTarget(version)).get('zone1');
    };
    expect(Buffer.from(made('16.0.1') ?? []).includes(throttler)).toBe(true);
    expect(made('16.0.0')).toHaveLength(0);
  });

  test('served_from until 18, sharding columns until 14', () => {
    const keyspace = encode('topodata.Keyspace', {
      sharding_column_name: 'id',
      served_froms: [
        { tablet_type: 'RDONLY', keyspace: 'old' },
        { tablet_type: 'REPLICA', cells: ['zone2'], keyspace: 'old' },
      ],
    });
    const from = [{ tablet_type: 'RDONLY', keyspace: 'old' }];
    const fieldsOf = (version: string) => {
      const { partitions: _, ...rest } = rebuild([shard('0')], { keyspace }, version)['zone1'] ?? {};
      return rest;
    };
    expect(fieldsOf('14')).toEqual({ sharding_column_name: 'id', served_from: from });
    expect(fieldsOf('18')).toEqual({ served_from: from });
    expect(fieldsOf('19')).toEqual({});
  });

  test('until 11 a shard also serves by served_types', () => {
    const old = shard('0', { is_primary_serving: false, served_types: [{ tablet_type: 'PRIMARY' }] });
    expect(served(rebuild([old], {}, '11')['zone1'])['RDONLY']).toEqual(['0']);
    expect(rebuild([old], {}, '12')['zone1']).toEqual({});
  });

  test('until 3 types and cells are those that the shards name', () => {
    const types = [{ tablet_type: 'REPLICA', cells: ['zone2'] }, { tablet_type: 'PRIMARY' }];
    const old = shard('0', { is_primary_serving: false, cells: ['zone1', 'zone2'], served_types: types });
    const made = rebuild([old], { cells: [] }, '3');
    expect(Object.keys(made)).toEqual(['zone1', 'zone2']);
    expect(served(made['zone1'])).toEqual({ PRIMARY: ['0'] });
    expect(served(made['zone2'])).toEqual({ REPLICA: ['0'], PRIMARY: ['0'] });
    expect(Object.keys(rebuild([old], { cells: ['zone2', 'zone3'] }, '3'))).toEqual(['zone2']);
  });
});
