import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rebuildShardGraph, type ShardCell, type ShardGraphInput } from '../../src/graph/shard-graph.js';
import { decode, encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { formatTabletAlias } from '../../src/topo/names.js';

interface Tablet {
  readonly cell: string;
  readonly uid: number;
  readonly type: string;
}

const CELLS = ['aa', 'bb', 'cc'];
const TYPES = ['PRIMARY', 'REPLICA', 'RDONLY', 'SPARE', 'EXPERIMENTAL', 'BACKUP', 'RESTORE', 'DRAINED'];
const DIRS: Readonly<Record<string, string>> = { PRIMARY: 'master', REPLICA: 'replica', RDONLY: 'rdonly' };

const tabletJson = ({ cell, uid, type }: Tablet, more: JsonObject = {}): JsonObject => ({
  alias: { cell, uid },
  hostname: `host${uid}`,
  port_map: { vt: 15000 + (uid % 1000), grpc: 16000 },
  keyspace: 'ks',
  shard: '-80',
  type,
  ...more,
});

/** What a cell holds of these tablets. */
function cellOf(tablets: readonly Tablet[], more: Partial<ShardCell> = {}): ShardCell {
  const nodes = tablets.map(({ cell, uid }) => ({ tablet_alias: { cell, uid } }));
  return {
    replication: encode('topodata.ShardReplication', { nodes }),
    tablets: new Map(
      tablets.map((each) => [formatTabletAlias(each), encode('topodata.Tablet', tabletJson(each))]),
    ),
    present: [],
    ...more,
  };
}

const SHARD = { key_range: { end: 'gA==' }, primary_alias: { cell: 'aa', uid: 1 } };

function rebuild(current: Readonly<Record<string, ShardCell>>, more: Partial<ShardGraphInput> = {}) {
  const shard = { name: '-80', bytes: encode('topodata.Shard', { cells: Object.keys(current), ...SHARD }) };
  const input = { keyspace: 'ks', shard, cells: [], current: new Map(Object.entries(current)) };
  return rebuildShardGraph({ ...input, ...more });
}

/** The records of a cell, decoded, by path. */
function recordsOf(made: ReturnType<typeof rebuild>, cell: string): Record<string, JsonObject> {
  const records = made.get(cell)?.records ?? [];
  return Object.fromEntries(
    records.map(({ path, message, bytes }) => [path, decode(message, bytes).json] as const),
  );
}

const someTablets = fc.uniqueArray(
  fc.record({
    cell: fc.constantFrom(...CELLS),
    uid: fc.integer({ min: 1, max: 0xffff_ffff }),
    type: fc.constantFrom(...TYPES),
  }),
  { maxLength: 20, selector: formatTabletAlias },
);

describe('any shard', () => {
  const inCells = (tablets: readonly Tablet[]) =>
    Object.fromEntries(CELLS.map((cell) => [cell, cellOf(tablets.filter((each) => each.cell === cell))]));

  test('has each tablet of a serving type in the EndPoints of its type in its cell, and nowhere else', () => {
    fc.assert(
      fc.property(someTablets, (tablets) => {
        const made = rebuild(inCells(tablets));
        const found = CELLS.flatMap((cell) =>
          Object.entries(recordsOf(made, cell)).flatMap(([path, { entries }]) =>
            ((entries ?? []) as { uid: number }[]).map(({ uid }) => `${cell} ${path} ${uid}`),
          ),
        );
        const serving = tablets.flatMap(({ cell, uid, type }) =>
          DIRS[type] === undefined ? [] : [`${cell} ns/ks/-80/${DIRS[type]} ${uid}`],
        );
        expect(found.sort()).toEqual(serving.sort());
      }),
      { numRuns: 50 },
    );
  });

  test('has the same SrvShard in every cell, and is the same whatever order its tablets have', () => {
    fc.assert(
      fc.property(someTablets, (tablets) => {
        const made = rebuild(inCells(tablets));
        for (const cell of CELLS)
          expect(recordsOf(made, cell)['ns/ks/-80']).toEqual({
            name: '-80',
            key_range: { end: 'gA==' },
            master_cell: 'aa',
          });
        expect(rebuild(inCells(tablets.toReversed()))).toEqual(made);
      }),
      { numRuns: 50 },
    );
  });

  test('deletes exactly the types that serve no longer, so that a rebuild of its own result deletes nothing', () => {
    fc.assert(
      fc.property(someTablets, fc.subarray(Object.values(DIRS)), (tablets, present) => {
        const own = tablets.filter(({ cell }) => cell === 'bb');
        const first = rebuild({ bb: cellOf(own, { present: [...present, 'action', 'actionlog'] }) }).get(
          'bb',
        );
        const written = first?.records.slice(1).map(({ path }) => path.split('/')[3] ?? '') ?? [];
        expect(first?.deletions).toEqual(
          present.filter((type) => !written.includes(type)).map((type) => `ns/ks/-80/${type}`),
        );
        expect(rebuild({ bb: cellOf(own, { present: written }) }).get('bb')?.deletions).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

test('an EndPoint is uid, host, ports and health, in the order of the uids', () => {
  const tablets = [2, 1].map((uid) => ({ cell: 'aa', uid, type: 'REPLICA' }));
  const health = { health_map: { replication_lag: 'high' } };
  const held = cellOf(tablets);
  const sick = encode('topodata.Tablet', tabletJson({ cell: 'aa', uid: 2, type: 'REPLICA' }, health));
  const made = rebuild({
    aa: { ...held, tablets: new Map([...held.tablets, ['aa-0000000002', sick]]) },
  });
  expect(recordsOf(made, 'aa')['ns/ks/-80/replica']).toEqual({
    entries: [
      { uid: 1, host: 'host1', port_map: { vt: 15001, grpc: 16000 } },
      { uid: 2, host: 'host2', port_map: { vt: 15002, grpc: 16000 }, ...health },
    ],
  });
});

test('a field that a tablet has not set is not written', () => {
  const tablet = { cell: 'aa', uid: 7, type: 'REPLICA' };
  const bare = encode('topodata.Tablet', tabletJson(tablet, { hostname: '', port_map: { vt: 1 } }));
  const made = rebuild({ aa: cellOf([tablet], { tablets: new Map([['aa-0000000007', bare]]) }) });
  const expected = encode('topodata.EndPoints', { entries: [{ uid: 7, port_map: { vt: 1 } }] });
  expect(Buffer.from(made.get('aa')?.records[1]?.bytes ?? [])).toEqual(Buffer.from(expected));
});

test('the primary counts in its cell though no ShardReplication names it', () => {
  const primary = { cell: 'aa', uid: 1, type: 'PRIMARY' };
  const made = rebuild({
    aa: { ...cellOf([primary]), replication: undefined },
    bb: cellOf([]),
  });
  expect(recordsOf(made, 'aa')).toHaveProperty('ns/ks/-80/master');
  expect(Object.keys(recordsOf(made, 'bb'))).toEqual(['ns/ks/-80']);
});

test('a key range is kept as it is stored, and no primary is no cell', () => {
  const bytes = encode('topodata.Shard', { cells: ['aa'] });
  const made = rebuild({ aa: cellOf([]) }, { shard: { name: '0', bytes } });
  expect(recordsOf(made, 'aa')).toEqual({ 'ns/ks/0': { name: '0' } });
  const whole = encode('topodata.Shard', { cells: ['aa'], key_range: {} });
  const unsharded = rebuild({ aa: cellOf([]) }, { shard: { name: '-', bytes: whole } });
  expect(recordsOf(unsharded, 'aa')).toEqual({ 'ns/ks/-': { name: '-', key_range: {} } });
});

test('cells are those that the Shard names, narrowed by those that are asked for', () => {
  const held = { aa: cellOf([]), bb: cellOf([]) };
  expect([...rebuild(held).keys()]).toEqual(['aa', 'bb']);
  expect([...rebuild(held, { cells: ['bb', 'cc'] }).keys()]).toEqual(['bb']);
});

describe('tablets that clients will not find are named', () => {
  const replica = { cell: 'aa', uid: 7, type: 'REPLICA' };

  test('without port vt, whose type keeps an empty record', () => {
    const portless = encode('topodata.Tablet', tabletJson(replica, { port_map: { grpc: 1 } }));
    const held = { ...cellOf([replica]), tablets: new Map([['aa-0000000007', portless]]) };
    const made = rebuild({ aa: held }, { cells: ['aa'] });
    expect(recordsOf(made, 'aa')['ns/ks/-80/replica']).toEqual({});
    expect(made.get('aa')?.leftOut).toContainEqual({
      alias: 'aa-0000000007',
      reason: expect.stringContaining('vt'),
    });
  });

  test('without Tablet record, or of another cell', () => {
    const other = { ...replica, cell: 'bb' };
    const held = { ...cellOf([replica, other]), tablets: new Map() };
    const made = rebuild({ aa: held });
    expect(Object.keys(recordsOf(made, 'aa'))).toEqual(['ns/ks/-80']);
    expect(made.get('aa')?.leftOut).toEqual([
      { alias: 'aa-0000000001', reason: 'it has no Tablet record' },
      { alias: 'aa-0000000007', reason: 'it has no Tablet record' },
      { alias: 'bb-0000000007', reason: 'it is a tablet of another cell' },
    ]);
  });
});

describe('refusals', () => {
  const replica = { cell: 'bb', uid: 7, type: 'REPLICA' };
  const with7 = (bytes: Uint8Array) => ({ bb: cellOf([replica], { tablets: new Map([[ALIAS, bytes]]) }) });
  const ALIAS = 'bb-0000000007';

  test('a serving tablet of another shard, in the words of Vitess; one that does not serve is none of its business', () => {
    const moved = (type: string) =>
      encode('topodata.Tablet', tabletJson({ ...replica, type }, { shard: '80-' }));
    expect(() => rebuild(with7(moved('REPLICA')))).toThrow(
      expect.objectContaining({
        code: 'Guard',
        message: `tablet ${ALIAS} is in replication graph for shard ks/-80 but belongs to shard ks/80-`,
        hint: expect.stringContaining('ShardReplication'),
      }),
    );
    expect(() => rebuild(with7(moved('SPARE')))).not.toThrow();
  });

  test.each([
    ['a Tablet', () => rebuild(with7(Uint8Array.of(0xff))), 'Corrupt', /^bb-0000000007: not a/],
    [
      'a ShardReplication',
      () => rebuild({ bb: cellOf([], { replication: Uint8Array.of(0xff) }) }),
      'Corrupt',
      /^ShardReplication of cell bb: not a/,
    ],
    [
      'a Shard',
      () => rebuild({}, { shard: { name: '-80', bytes: Uint8Array.of(0xff) } }),
      'Corrupt',
      /topodata.Shard/,
    ],
    [
      'a name',
      () => rebuild({}, { shard: { name: '80-40', bytes: new Uint8Array() } }),
      'InvalidPath',
      /80-40/,
    ],
    [
      'a cell',
      () => rebuild({ aa: cellOf([]) }, { current: new Map() }),
      'NoCell',
      /in cell aa.*was not read/,
    ],
  ])('%s that cannot be read', (_, run, code, message) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});
