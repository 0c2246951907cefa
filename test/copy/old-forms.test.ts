import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { applyCopy, planCopy } from '../../src/copy/copy.js';
import { follow } from '../../src/copy/follow.js';
import type { CopyOptions } from '../../src/copy/options.js';
import { PlanWriter, readPlan } from '../../src/copy/plan-file.js';
import { NEWEST } from '../../src/graph/target.js';
import { parseAddress, type StoreAddress } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import { decode, encode } from '../../src/topo/codec.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { type Beside, LOSS_KINDS, type LossKind, type Tolerance } from '../../src/topo/told.js';
import { Topology } from '../../src/topo/topology.js';
import type { ServingWish } from '../../src/verify/carried.js';
import { certify } from '../../src/verify/certificate.js';
import { readCertificate } from '../../src/verify/certificate-file.js';
import { decide } from '../../src/verify/verdict.js';
import { verify } from '../../src/verify/verify.js';
import { withOldStores } from '../support/old-store.js';
import { contents, SETTINGS, withStore } from '../support/topologies.js';
import { until } from '../support/until.js';

const ALL = new Set(Object.keys(LOSS_KINDS) as LossKind[]);
const BAD = 'tablets/nyc-0000000199/Tablet';
/** Everything that has to be said to copy {@link GLOBAL} and {@link NYC}. */
const SAID: Tolerance & ServingWish = {
  acceptedLosses: ALL,
  skipsUnreadable: (path) => path === BAD,
  target: NEWEST,
  serving: new Map([['user/80-', true]]),
};

const TABLET = {
  Cell: 'nyc',
  Uid: 100,
  Parent: { Cell: 'nyc', Uid: 101 },
  Addr: 'localhost:1001',
  MysqlAddr: 'localhost:1003',
  Keyspace: 'main',
  Shard: '0',
  Type: 'master',
  State: 'ReadWrite',
};
const GLOBAL: Readonly<Record<string, unknown>> = {
  'keyspaces/main/Keyspace': 'left by somebody',
  'keyspaces/main/shards/0/Shard': { MasterAlias: { Cell: 'nyc', Uid: 100 }, ServedTypes: null },
  'keyspaces/user/Keyspace': { sharding_column_name: 'id' },
  'keyspaces/user/shards/-80/Shard': { key_range: { end: 'gA==' }, served_types: [{ tablet_type: 1 }] },
  'keyspaces/user/shards/80-/Shard': { key_range: { start: 'gA==' } },
  'metadata/key': 'raw',
};
const NYC: Readonly<Record<string, unknown>> = {
  'keyspaces/main/SrvKeyspace': { Shards: [{ ServedTypes: ['master', 'replica'] }] },
  'tablets/nyc-0000000100/Tablet': TABLET,
  'tablets/nyc-0000000110/Tablet': {
    alias: { cell: 'nyc', uid: 110 },
    hostname: 'localhost',
    keyspace: 'user',
    shard: '-80',
    type: 1,
  },
  [BAD]: 'not JSON',
};
const LEFT_OUT: Beside = {
  is: 'lost',
  native: '/zk/nyc/vt/tablets/0000000198',
  why: 'a tablet of type idle',
  keyspace: 'main',
  losses: [{ kind: 'tablet-type', path: 'tablets/nyc-0000000198/Tablet', field: 'Type', value: 'idle' }],
};
const BESIDE: Readonly<Record<string, readonly Beside[]>> = {
  nyc: [
    { is: 'derived', native: '/zk/nyc/vt/ns/main/0', why: 'SrvShard', losses: [] },
    { is: 'left', native: '/zk/nyc/vt/tablets/0000000100/pid', why: 'the process of a tablet', losses: [] },
    LEFT_OUT,
  ],
};

let id: string;
const old = (scope: string) => `memory://zookeeper:${id}/old/${scope}`;
const today = (scope: string) => `memory://etcd:${id}/new/${scope}`;
const opened: Topology[] = [];

beforeEach(() => {
  id = randomUUID();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((topology) => topology.close()));
});

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

async function fill(place: (scope: string) => string, global: typeof GLOBAL, nyc: typeof NYC): Promise<void> {
  const { server, root } = parseAddress(place('nyc'));
  const cell = encode('topodata.CellInfo', { server_address: server, root });
  for (const [scope, records] of [
    ['global', { 'cells/nyc/CellInfo': cell, ...global }],
    ['nyc', nyc],
  ] as const)
    await withStore(place(scope), async (store) => {
      for (const [path, value] of Object.entries(records)) await store.create(path, bytesOf(value));
    });
}

async function open(address: string, configured?: ReadonlyMap<string, StoreAddress>): Promise<Topology> {
  const stores = withOldStores(storesFor(SETTINGS, 'write'), ({ root }) => root.startsWith('/old'), BESIDE);
  const topology = await Topology.open({ global: parseAddress(address), stores, configured });
  opened.push(topology);
  return topology;
}

async function sides(from: string, to: string, said: Tolerance & ServingWish): Promise<CopyOptions> {
  const { target, serving, ...tolerance } = said;
  return {
    source: await open(from),
    destination: await open(to),
    rule: { given: new Map(), root: to.replace(/^.*(\/[^/]+)\/global$/, '$1/{cell}') },
    clock: systemClock,
    concurrency: 2,
    overrules: { undecodable: false, ...tolerance },
    target,
    serving,
  };
}

async function copy(options: CopyOptions): Promise<Awaited<ReturnType<typeof applyCopy>>> {
  return applyCopy(await planCopy(options), options);
}

async function compared(options: CopyOptions, tolerance: Tolerance = options.overrules ?? {}) {
  const { source, destination, target, serving } = options;
  const { acceptedLosses, skipsUnreadable } = tolerance;
  return verify({ source, destination, concurrency: 2, target, serving, acceptedLosses, skipsUnreadable });
}

describe('from an old form', () => {
  beforeEach(() => fill(old, GLOBAL, NYC));

  test.each([
    [
      'a record in no known form',
      { skipsUnreadable: undefined },
      /in no form that is known: nyc:tablets\/nyc-0000000199/,
    ],
    [
      'a shard of which nothing tells whether it serves',
      { serving: undefined },
      /global:keyspaces\/user\/shards\/80-\/Shard/,
    ],
    [
      'values that are lost',
      { acceptedLosses: new Set(['parent'] as const) },
      /no place in the destination \(1 state, 1 tablet-type\): .*nyc:tablets\/nyc-0000000100\/Tablet State = "ReadWrite" \(state\)/,
    ],
  ])('%s stops the copy before anything is written', async (_, lacking, message) => {
    const options = await sides(old('global'), today('global'), { ...SAID, ...lacking });
    await expect(copy(options)).rejects.toMatchObject({
      code: ErrorCode.Guard,
      message: expect.stringMatching(message),
    });
    expect((await contents(today('global'))).size).toBe(0);
  });

  test('what is lost beside the records is listed with its keyspace', async () => {
    const options = await sides(old('global'), today('global'), SAID);
    const lost = async (...keyspaces: string[]) => {
      const { plan } = await planCopy({ ...options, keyspaces: new Set(keyspaces) });
      return plan.scopes.flatMap(({ transcoded: { losses } }) => losses.map(({ path }) => path));
    };
    expect(await lost('user')).not.toContain('tablets/nyc-0000000198/Tablet');
    expect(await lost('main')).toContain('tablets/nyc-0000000198/Tablet');
  });

  test('a cell that shards name and the client configuration lacks stops the copy before anything is written', async () => {
    await withStore(old('global'), async (store) => {
      await store.delete('cells/nyc/CellInfo', null);
      const shard = {
        cells: ['nyc', 'sfo'],
        master_alias: { cell: 'lon', uid: 1 },
        served_types: [{ tablet_type: 1 }],
      };
      await store.create('keyspaces/user/shards/0/Shard', bytesOf(shard));
    });
    const configured = new Map([['nyc', parseAddress(old('nyc'))]]);
    const options = {
      ...(await sides(old('global'), today('global'), SAID)),
      source: await open(old('global'), configured),
    };
    await expect(copy(options)).rejects.toMatchObject({
      code: ErrorCode.Guard,
      message: expect.stringMatching(
        /configuration .* lacks cells that shards or their replication graphs name.*global:keyspaces\/user\/shards\/0\/Shard .*\(lon, sfo\)/,
      ),
    });
    expect((await contents(today('global'))).size).toBe(0);
    await copy({ ...options, overrules: { ...options.overrules, emptyCells: true } });
    expect((await contents(today('global'))).size).toBeGreaterThan(0);
  });

  test('a kind of loss is named in the hint as it can be accepted', async () => {
    const options = await sides(old('global'), today('global'), { ...SAID, acceptedLosses: new Set() });
    await expect(copy(options)).rejects.toMatchObject({
      hint: expect.stringContaining('--accept-loss state,parent,tablet-type'),
    });
  });

  test('records come over in protobuf, shards that serve say so, and a second run writes nothing', async () => {
    const options = await sides(old('global'), today('global'), SAID);
    const { plan } = await copy(options);
    const written = await contents(today('global'));
    const flag = (shard: string) =>
      decode('topodata.Shard', written.get(`keyspaces/${shard}/Shard`) ?? Buffer.alloc(0)).json[
        'is_primary_serving'
      ];
    expect([flag('main/shards/0'), flag('user/shards/-80'), flag('user/shards/80-')]).toEqual([
      true,
      true,
      true,
    ]);
    expect(written.get('metadata/key')?.toString()).toBe('raw');
    const nyc = await contents(today('nyc'));
    expect(
      decode('topodata.Tablet', nyc.get('tablets/nyc-0000000100/Tablet') ?? Buffer.alloc(0)).json,
    ).toMatchObject({
      type: 'PRIMARY',
      hostname: 'localhost',
      port_map: { vt: 1001, mysql: 1003 },
    });
    expect(nyc.has(BAD)).toBe(false);

    const [global, cell] = plan.scopes;
    expect(global?.transcoded.serving.map(({ path, serving, reason }) => [path, serving, reason])).toEqual([
      ['keyspaces/main/shards/0/Shard', true, 'the PRIMARY partition of nyc has it'],
      ['keyspaces/user/shards/-80/Shard', true, 'served_types of the Shard has PRIMARY'],
      ['keyspaces/user/shards/80-/Shard', true, 'as it was said'],
    ]);
    expect(global?.transcoded.notes).toMatchObject([{ path: 'keyspaces/main/Keyspace' }]);
    expect(cell?.transcoded.losses.map(({ kind, record }) => [kind, record])).toEqual([
      ['tablet-type', undefined],
      ['parent', 'Tablet'],
      ['state', 'Tablet'],
    ]);
    expect(cell?.transcoded.derived).toContainEqual({
      path: '/zk/nyc/vt/ns/main/0',
      field: '',
      what: 'SrvShard',
    });
    expect(cell?.transcoded.left).toMatchObject([{ native: '/zk/nyc/vt/tablets/0000000100/pid' }]);
    expect(cell?.transcoded.filledIn.get('topodata.Tablet.mysql_hostname')).toMatchObject({ records: 2 });
    expect([...(cell?.writes() ?? [])].map(({ action }) => action)).toEqual([
      'transcode',
      'transcode',
      'transcode',
    ]);

    expect((await copy(options)).written).toBe(0);
    const report = await compared(options);
    expect(report).toMatchObject({ equal: true, differences: [], worst: 'expected' });
    expect(decide(report)).toBe('accepted');
    expect(report.notCompared).toMatchObject([{ path: BAD, side: 'source' }]);
  });

  test('below Vitess 12 no flag is derived, and nobody asked', async () => {
    const target = { major: 11, minor: 0, patch: 0 };
    await copy(await sides(old('global'), today('global'), { ...SAID, target, serving: undefined }));
    const shard = (await contents(today('global'))).get('keyspaces/user/shards/-80/Shard');
    expect(decode('topodata.Shard', shard ?? Buffer.alloc(0)).json['is_primary_serving']).toBeUndefined();
  });

  test('an answer about a shard that there is not is refused', async () => {
    const serving = new Map([['user/8-', true]]);
    const options = await sides(old('global'), today('global'), { ...SAID, serving });
    await expect(planCopy(options)).rejects.toMatchObject({ code: ErrorCode.Usage });
  });

  test('a record that is equal field by field is the same in whatever encoding', async () => {
    const options = await sides(old('global'), today('global'), SAID);
    await copy(options);
    const path = 'tablets/nyc-0000000110/Tablet';
    await withStore(today('nyc'), async (store) => {
      const { bytes, version } = await store.get(path);
      // Its first field at the end, as another encoder may have it.
      const length = 2 + (bytes[1] ?? 0);
      await store.update(path, Buffer.concat([bytes.subarray(length), bytes.subarray(0, length)]), version);
    });
    expect((await copy(options)).written).toBe(0);
    expect((await compared(options)).notes).toMatchObject([
      { path: 'cells/nyc/CellInfo' },
      { path, type: 'encoding' },
    ]);
  });

  test('a comparison fails for what is lost and not accepted, and says which', async () => {
    const options = await sides(old('global'), today('global'), SAID);
    await copy(options);
    const accepted = new Set(['parent', 'tablet-type'] as const);
    const report = await compared(options, { ...options.overrules, acceptedLosses: accepted });
    expect(decide(report)).toBe('different');
    expect(report).toMatchObject({ equal: false, worst: 'loss', differences: [] });
    expect(report.losses.filter((each) => each.class === 'loss')).toMatchObject([
      { kind: 'state', scope: 'nyc', record: 'Tablet', field: 'State', value: 'ReadWrite' },
    ]);
    const unread = await compared(options, { acceptedLosses: ALL });
    expect(unread.differences).toMatchObject([
      { path: BAD, type: 'missing', detail: expect.stringContaining('not a Tablet') },
    ]);
  });

  test('after the move the old store is compared with what today’s records become in it', async () => {
    const options = await sides(old('global'), today('global'), SAID);
    await copy(options);
    const { source, destination, target, serving: said } = options;
    const back = () =>
      verify({
        ...{ source, destination, target, serving: said, concurrency: 2, authority: 'destination' },
        skipsUnreadable: options.overrules?.skipsUnreadable,
      });
    // These two were told by the serving graph alone, of which a rebuild in the old store would know nothing.
    const serving = ['main/shards/0', 'user/shards/80-'].map((shard) => ({
      ...{ kind: 'newer-field', field: 'is_primary_serving', class: 'loss' },
      path: `keyspaces/${shard}/Shard`,
    }));
    expect(await back()).toMatchObject({ differences: [], losses: serving });
    await withStore(today('global'), async (store) => {
      const keyspace = encode('topodata.Keyspace', { sharding_column_name: 'id', durability_policy: 'none' });
      await store.update('keyspaces/user/Keyspace', keyspace, null);
    });
    expect(await back()).toMatchObject({
      differences: [],
      losses: expect.arrayContaining([
        expect.objectContaining({ kind: 'newer-field', field: 'durability_policy', class: 'loss' }),
      ]),
    });
  });

  test('a certificate says which kinds of values were lost, how many, and which of them were accepted', async () => {
    const options = await sides(old('global'), today('global'), SAID);
    await copy(options);
    const { source, destination, target, serving } = options;
    const accepted = { ...options.overrules, acceptedLosses: new Set(['parent', 'tablet-type'] as const) };
    const report = await verify({
      ...{ source, destination, target, serving, ...accepted },
      ...{ concurrency: 2, digests: true },
    });
    const certificate = certify(report, {
      ...{ tool: '1', started: 0, ended: 1, from: 'a', to: 'b', failOn: 'stale', ignore: [] },
      ...{ settle: undefined, authority: 'source' },
    });
    expect(readCertificate(JSON.stringify({ certificate })).certificate).toMatchObject({
      decision: 'different',
      losses: {
        state: { values: 1, accepted: false },
        parent: { values: 1, accepted: true },
        'tablet-type': { values: 1, accepted: true },
      },
    });
  });

  test('a plan in a file has each loss, and each thing told, in a line of its own', async () => {
    const options = await sides(old('global'), today('global'), SAID);
    const dir = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    try {
      const file = join(dir, 'plan.jsonl');
      const writer = new PlanWriter(file);
      writer.begin({ tool: '1', made: '', from: '', to: '', cells: [], flags: {}, identities: {} });
      const { plan } = await planCopy({ ...options, onEntry: (scope, entry) => writer.entry(scope, entry) });
      writer.finish(plan);
      expect(readPlan(file).scopes.get('nyc')?.length).toBe(4);
      const lines = (await readFile(file, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines).toContainEqual({
        type: 'loss',
        scope: 'nyc',
        record: 'Tablet',
        kind: 'state',
        path: 'tablets/nyc-0000000100/Tablet',
        field: 'State',
        value: 'ReadWrite',
      });
      const told = lines.filter(({ type }) => type === 'told');
      expect(told.map(({ as }) => as).sort()).toEqual([
        'derived',
        'left',
        'odd',
        'serving',
        'serving',
        'serving',
      ]);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe('following an old form', () => {
  beforeEach(() => fill(old, GLOBAL, NYC));

  const path = 'tablets/nyc-0000000110/Tablet';
  const change = (value: object) =>
    withStore(old('nyc'), async (store) => {
      await store.update(path, Buffer.from(JSON.stringify(value)), null);
    });

  test('what changes comes over in protobuf, and a loss that nobody accepted stops it', async () => {
    const stop = new AbortController();
    const options = await sides(old('global'), today('global'), {
      ...SAID,
      acceptedLosses: new Set(['state', 'parent', 'tablet-type'] as const),
    });
    let phase = 'copying';
    const running = follow({
      ...options,
      signal: stop.signal,
      passEveryMs: 60_000,
      gatherMs: 5,
      onState: (state) => {
        phase = state.phase;
      },
    });
    try {
      await until('it follows', () => phase === 'following');
      await change({ alias: { cell: 'nyc', uid: 110 }, hostname: 'other', keyspace: 'user', shard: '-80' });
      await until('the change is there', async () => {
        const bytes = (await contents(today('nyc'))).get(path);
        return bytes !== undefined && decode('topodata.Tablet', bytes).json['hostname'] === 'other';
      });
      const shard = 'keyspaces/main/shards/0/Shard';
      await withStore(old('global'), async (store) => {
        await store.update(shard, Buffer.from('{"Cells": ["nyc"]}'), null);
      });
      await until('so is that of a shard, with its flag', async () => {
        const bytes = (await contents(today('global'))).get(shard) ?? Buffer.alloc(0);
        const { cells, is_primary_serving: serves } = decode('topodata.Shard', bytes).json;
        return cells !== undefined && serves === true;
      });
      expect((await compared(options)).differences).toEqual([]);
      await change({ Alias: { Cell: 'nyc', Uid: 110 }, Hostname: 'third', Health: { lag: 'high' } });
      await expect(running).rejects.toMatchObject({
        code: ErrorCode.Guard,
        message: expect.stringContaining('Health = {"lag":"high"} (health)'),
      });
    } finally {
      stop.abort();
      await running.catch(() => {});
    }
  });
});

describe('into an old form', () => {
  const shard = (json: object) => encode('topodata.Shard', { ...json });
  const NEW_GLOBAL = {
    'keyspaces/main/Keyspace': encode('topodata.Keyspace', { durability_policy: 'none' }),
    'keyspaces/main/shards/0/Shard': shard({
      is_primary_serving: true,
      served_types: [{ tablet_type: 'PRIMARY' }],
    }),
    'keyspaces/user/shards/0/Shard': shard({ is_primary_serving: true }),
  };
  const NEW_NYC = {
    'tablets/nyc-0000000100/Tablet': encode('topodata.Tablet', { hostname: 'localhost' }),
    // What Vitess of that time makes anew from served_types, which this shard has not.
    'keyspaces/user/SrvKeyspace': encode('topodata.SrvKeyspace', {
      partitions: [{ served_type: 'PRIMARY', shard_references: [{ name: '0' }] }],
    }),
  };
  const way = (said: Tolerance) => sides(today('global'), old('global'), said);

  beforeEach(() => fill(today, NEW_GLOBAL, NEW_NYC));

  test('what it has no place for stops the copy; a flag that served_types tells does not', async () => {
    await expect(copy(await way({}))).rejects.toMatchObject({
      code: ErrorCode.Guard,
      message: expect.stringMatching(
        /\(2 newer-field\).*durability_policy = "none".*user\/shards\/0\/Shard is_primary_serving/,
      ),
    });
    expect((await contents(old('global'))).size).toBe(0);
  });

  test('what is held is what is compared, and a second run writes nothing', async () => {
    const options = await way({ acceptedLosses: new Set(['newer-field']) });
    const { plan } = await copy(options);
    expect(plan.scopes[0]?.transcoded.derived).toMatchObject([
      { path: 'keyspaces/main/shards/0/Shard', field: 'is_primary_serving' },
    ]);
    const stored = (await contents(old('global'))).get('keyspaces/main/shards/0/Shard');
    expect(JSON.parse(stored?.toString() ?? '')).toEqual({ served_types: [{ tablet_type: 1 }] });
    expect((await copy(options)).written).toBe(0);
    expect(decide(await compared(options))).toBe('accepted');
  });
});
