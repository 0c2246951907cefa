import { expect, test } from 'vitest';
import type { PlanContext } from '../../src/copy/context.js';
import { checkPlan } from '../../src/copy/guards.js';
import { addPairs, ScopePlan } from '../../src/copy/plan.js';
import { parseAddress } from '../../src/topo/address.js';
import { encode, readCellInfo } from '../../src/topo/codec.js';
import type { Capabilities } from '../../src/topo/connection.js';
import type { Pair } from '../../src/topo/join.js';
import type { Cell } from '../../src/topo/topology.js';
import { pair, stored } from '../support/records.js';

const capabilities: Capabilities = {
  batch: { maxOps: 100, maxBytes: 100_000 },
  maxValueBytes: 1_000,
  maxPathBytes: 100,
  history: false,
  watchRecursive: true,
  snapshotScan: true,
  emptyDirectories: false,
  recordsWithChildren: true,
  recreation: 'exact',
  locks: 'fair',
  fencing: true,
  seal: false,
  durable: true,
  readOnly: false,
};
const there = (source: Cell['source']): Cell => ({
  name: 'zone1',
  address: parseAddress('etcd2://new:2379/new/zone1'),
  source,
});
const context: PlanContext = {
  scope: 'global',
  from: 'a',
  to: 'b',
  capabilities,
  root: '/r',
  cells: new Map([['zone1', there('given')]]),
};

function planned(pairs: Pair[], changes: Partial<PlanContext> = {}) {
  const full = { ...context, ...changes };
  const plan = new ScopePlan(full);
  addPairs(plan, pairs, full);
  return plan;
}
const shard = encode('topodata.Shard', { is_primary_serving: true });
const shardPath = 'keyspaces/ks/shards/0/Shard';

test('a record that the destination lacks is created with the source’s own bytes', () => {
  const plan = planned([pair(stored(shardPath, shard), undefined)]);
  expect([...plan.writes()]).toMatchObject([
    { action: 'create', path: shardPath, kind: 'Shard', destination: undefined },
  ]);
  expect(Buffer.compare([...plan.writes()][0]?.bytes ?? new Uint8Array(), shard)).toBe(0);
});

test('a record that differs is updated only in the state that was seen', () => {
  const existing = stored(shardPath, '');
  const plan = planned([pair(stored(shardPath, shard), existing)]);
  expect([...plan.writes()]).toMatchObject([{ action: 'update', destination: existing.version.token }]);
});

test('equal records are not written, empty ones included', () => {
  const plan = planned([
    pair(stored(shardPath, shard), stored(shardPath, shard)),
    pair(stored('metadata/k', ''), stored('metadata/k', '')),
  ]);
  expect([...plan.writes()]).toEqual([]);
  expect(plan.counts.get('Shard')).toMatchObject({ same: 1 });
});

test('an empty record that the destination lacks is created', () => {
  expect([...planned([pair(stored('metadata/k', ''), undefined)]).writes()]).toMatchObject([
    { action: 'create', path: 'metadata/k' },
  ]);
});

test('locks, elections, ephemeral records and control records are left out and named, whatever a keyspace is called', () => {
  const plan = planned([
    pair(stored('elections/vtctld/locks/123', 'x', true), undefined),
    pair(stored('keyspaces/locks/Keyspace', ''), undefined),
    pair(stored('keyspaces/ks/locks/0000000001', 'left behind'), undefined),
    pair(stored('metadata/session', 'x', true), undefined),
    pair(stored('topo2topo/epoch', 'x'), undefined),
  ]);
  expect([...plan.writes()].map(({ path }) => path)).toEqual(['keyspaces/locks/Keyspace']);
  expect([...plan.skipped()].map(({ kind }) => kind)).toEqual(['Election', 'Lock', 'Ephemeral', 'Control']);
});

test('a record that only the destination has is named and left alone', () => {
  const plan = planned([
    pair(undefined, stored('metadata/theirs', 'x')),
    pair(undefined, stored('elections/e/1', 'x', true)),
  ]);
  expect([...plan.writes()]).toEqual([]);
  expect([...plan.extra()].map(({ path }) => path)).toEqual(['metadata/theirs']);
});

test('kinds that were not asked for are left out and named', () => {
  const pairs = [pair(stored('metadata/k', 'x'), undefined), pair(stored(shardPath, shard), undefined)];
  const plan = planned(pairs, { kinds: new Set(['Shard'] as const) });
  expect([...plan.writes()].map(({ path }) => path)).toEqual([shardPath]);
  expect([...plan.skipped()]).toMatchObject([{ path: 'metadata/k', reason: 'kind not asked for' }]);
});

const sourceInfo = encode('topodata.CellInfo', {
  server_address: 'old:2181',
  root: '/old/zone1',
  region: 'eu',
});
const info = (bytes: Uint8Array) =>
  pair(
    stored('cells/zone1/CellInfo', sourceInfo),
    bytes.length === 0 ? undefined : stored('cells/zone1/CellInfo', bytes),
  );

test('CellInfo gets the destination’s address and keeps everything else', () => {
  const [step] = [...planned([info(new Uint8Array())]).writes()];
  expect(readCellInfo(step?.bytes ?? new Uint8Array())).toEqual({
    serverAddress: 'new:2379',
    root: '/new/zone1',
  });
  expect(Buffer.from(step?.bytes ?? '').includes('eu')).toBe(true);
});

test('CellInfo that the destination has already keeps the address as it is written there', () => {
  const theirs = encode('topodata.CellInfo', {
    server_address: 'http://new',
    root: '/new/zone1/',
    region: 'eu',
  });
  const kept = planned([info(theirs)], { cells: new Map([['zone1', there('CellInfo')]]) });
  expect(kept.toWrite).toBe(0);
});

test('a store that holds all parts itself keeps the source’s CellInfo', () => {
  const [step] = [
    ...planned([info(new Uint8Array())], { cells: new Map([['zone1', there('store')]]) }).writes(),
  ];
  expect(Buffer.compare(step?.bytes ?? new Uint8Array(), sourceInfo)).toBe(0);
});

test('unknown files and records that do not decode are copied and named', () => {
  const plan = planned([
    pair(stored('custom/x', '\xff'), undefined),
    pair(stored(shardPath, Uint8Array.from([0xff])), undefined),
  ]);
  expect([...plan.writes()]).toHaveLength(2);
  expect(plan.findings.map(({ path, problem }) => `${problem} ${path}`)).toEqual([
    'unknown custom/x',
    `undecodable ${shardPath}`,
  ]);
});

test('everything that the destination cannot hold is named before anything is written', () => {
  const plan = planned([
    pair(stored('metadata/large', new Uint8Array(1_001)), undefined),
    pair(stored(`metadata/${'n'.repeat(100)}`, ''), undefined),
    pair(stored('metadata/fits', new Uint8Array(1_000)), undefined),
  ]);
  const check = () => checkPlan({ scopes: [plan], cells: [] }, {});
  expect(check).toThrow(
    expect.objectContaining({
      code: 'Guard',
      message: expect.stringMatching(/cannot hold: global:metadata\/large .*; global:metadata\/nnn/),
    }),
  );
});

test('a cell whose store holds nothing stops the copy unless that is accepted', () => {
  const plan = { scopes: [planned([], { scope: 'zone1' })], cells: [] };
  expect(() => checkPlan(plan, {})).toThrow(/holds nothing for: cell zone1/);
  expect(() => checkPlan(plan, { emptyCells: true })).not.toThrow();
});

const refusal =
  (plan: ReturnType<typeof planned>, overrules = {}) =>
  () =>
    checkPlan({ scopes: [plan], cells: [] }, overrules);

test('records that only the destination has stop the copy, unless they are normal there or accepted', () => {
  const extra = (path: string) => planned([pair(undefined, stored(path, 'x'))]);
  expect(refusal(extra('metadata/theirs'))).toThrow(/does not: global:metadata\/theirs/);
  expect(refusal(extra('metadata/theirs'), { extra: true })).not.toThrow();
  expect(refusal(extra('cells/zone9/CellInfo'))).not.toThrow();
});

const tabletPath = 'tablets/zone1-0000000001/Tablet';
const tablet = (hostname: string) =>
  stored(tabletPath, encode('topodata.Tablet', { alias: { cell: 'zone1', uid: 1 }, hostname }));

test('a blank tablet never replaces a filled one: it is left out and named', () => {
  const plan = planned([pair(tablet(''), tablet('h'))], { scope: 'zone1' });
  expect([...plan.writes()]).toEqual([]);
  expect([...plan.skipped()]).toMatchObject([{ path: tabletPath, reason: expect.stringContaining('blank') }]);
  expect(planned([pair(tablet('h'), tablet(''))], { scope: 'zone1' }).toWrite).toBe(1);
});

test('a tablet of another cell stops the copy', () => {
  const plan = planned([pair(tablet('h'), undefined)], { scope: 'zone2' });
  expect(refusal(plan)).toThrow(/zone2:tablets.*a tablet of cell zone1/);
});

test('a shard whose primary is newer in the destination stops the copy unless that is accepted', () => {
  const term = (seconds: string) =>
    stored(shardPath, encode('topodata.Shard', { primary_term_start_time: { seconds } }));
  const plan = planned([pair(term('100'), term('200'))]);
  expect(refusal(plan)).toThrow(/newer than the source.*later term/);
  expect(refusal(plan, { newer: true })).not.toThrow();
  expect(refusal(planned([pair(term('200'), term('100'))]))).not.toThrow();
});

test('a record of the destination that belongs to a lease stops the copy, even where it is equal', () => {
  const plan = planned([pair(stored(shardPath, shard), stored(shardPath, shard, true))]);
  expect(refusal(plan)).toThrow(/go away by themselves.*Shard is leased/);
});

test('a path that the destination refuses stops the copy', () => {
  const pathProblem = (path: string) => (path.includes('bad') ? 'a bad name' : undefined);
  const plan = planned([pair(stored('metadata/bad', ''), undefined)], {
    capabilities: { ...capabilities, pathProblem },
  });
  expect(refusal(plan)).toThrow(/metadata\/bad is path refused \(a bad name\)/);
});

test('a plain record in the place of a lock stops a copy into a store whose locks are records of that name', () => {
  const found = (path: string, lockRecord: string | undefined) =>
    refusal(planned([pair(stored(path, ''), undefined)], { capabilities: { ...capabilities, lockRecord } }));
  expect(found('keyspaces/ks/Lock', 'Lock')).toThrow(/ks\/Lock is path refused/);
  expect(found('keyspaces/ks/shards/0/Lock', 'Lock')).toThrow(/0\/Lock is path refused/);
  expect(found('keyspaces/ks/Lock', undefined)).not.toThrow();
  expect(found('metadata/Lock', 'Lock')).not.toThrow();
});

test('a CellInfo that does not decode stops the copy: its address cannot be replaced', () => {
  const broken = pair(stored('cells/zone1/CellInfo', Uint8Array.from([0xff])), undefined);
  expect(() => planned([broken])).toThrow(
    expect.objectContaining({ code: 'Guard', path: 'cells/zone1/CellInfo' }),
  );
});
