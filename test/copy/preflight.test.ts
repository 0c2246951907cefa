import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addresses } from '../../src/copy/preflight/addresses.js';
import { capacity } from '../../src/copy/preflight/capacity.js';
import { clocks } from '../../src/copy/preflight/clocks.js';
import { contents } from '../../src/copy/preflight/contents.js';
import type { Diagnosis } from '../../src/copy/preflight/diagnosis.js';
import { estimate, estimated } from '../../src/copy/preflight/estimate.js';
import { locks } from '../../src/copy/preflight/locks.js';
import { cutOff, type DialRow, dialRows } from '../../src/copy/preflight/matrix.js';
import { operations } from '../../src/copy/preflight/operations.js';
import type { Probed } from '../../src/copy/preflight/probe.js';
import { quorum } from '../../src/copy/preflight/quorum.js';
import { reach } from '../../src/copy/preflight/reach.js';
import type { ScopeReading, ServersReading, Side, SideReading } from '../../src/copy/preflight/reading.js';
import { moveSettings } from '../../src/copy/preflight/settings.js';
import type { DecodedRecord, Survey } from '../../src/copy/preflight/survey.js';
import { DIAGNOSES } from '../../src/copy/preflight/table.js';
import { versions } from '../../src/copy/preflight/versions.js';
import { parseAddress } from '../../src/topo/address.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import type { FoundEntry, FoundLock } from '../../src/topo/found-locks.js';
import { readClock, type ServerHealth, type StoreHealth } from '../../src/topo/health.js';
import type { Kind } from '../../src/topo/kinds.js';
import { GLOBAL } from '../../src/topo/topology.js';
import { Version } from '../../src/topo/version.js';

const ADDRESSES = {
  zk2: 'zk2://zk1.example.com:2181,zk2.example.com:2181/vitess/global',
  etcd2: 'etcd2://e1.example.com:2379/vitess/global',
  consul: 'consul://c1.example.com:8500/vitess/global',
} as const;
type Product = keyof typeof ADDRESSES;

const ids = (found: readonly Diagnosis[]) => found.map(({ id }) => id);
const whats = (found: readonly Diagnosis[]) => found.map(({ id, what }) => `${id}: ${what}`);

function servers(product: Product, health: Partial<StoreHealth>, side: Side = 'source'): ServersReading {
  const address = parseAddress(ADDRESSES[product]);
  return { side, scopes: [GLOBAL, 'zone1'], address, health: { servers: [], unknown: [], ...health } };
}

function up(server: string, more: Partial<ServerHealth> = {}): ServerHealth {
  return { server, up: true, ...more };
}

function survey(more: Partial<Survey>): Survey {
  return {
    records: 0,
    bytes: 0,
    largestBytes: 0,
    ms: 0,
    kinds: new Map(),
    tabletCells: new Map(),
    decoded: [],
    workflows: [],
    locks: [],
    seal: undefined,
    ...more,
  };
}

function scope(
  more: Partial<Survey>,
  { side = 'source', name = GLOBAL, probed }: { side?: Side; name?: string; probed?: Probed } = {},
): ScopeReading {
  return { side, scope: name, address: parseAddress(ADDRESSES.etcd2), survey: survey(more), probed };
}

function sideOf(product: Product, more: Partial<SideReading>): SideReading {
  const address = parseAddress(ADDRESSES[product]);
  return { side: 'source', address, cells: [], scopes: [], servers: [], ...more };
}

describe('members of a store', () => {
  test('all well, and more than are needed: nothing is found', () => {
    const all = ['a:1', 'b:1', 'c:1'].map((server) => up(server));
    expect(quorum(servers('zk2', { servers: all, voters: { total: 3, up: 3 }, hasLeader: true }))).toEqual(
      [],
    );
  });

  test('one that is down is named, and that no other may fail', () => {
    const all = [up('a:1'), up('b:1'), { server: 'c:1', up: false, problem: 'connection refused' }];
    const found = quorum(servers('zk2', { servers: all, voters: { total: 3, up: 2 }, hasLeader: true }));
    expect(whats(found)).toEqual([
      'server-down: c:1 does not serve: connection refused',
      'no-spare: 2 of 3 voting members are up: none more may fail',
    ]);
    expect(found[0]).toMatchObject({ severity: 'warn', side: 'source', scope: 'global, zone1' });
  });

  test('without a leader nothing starts', () => {
    const [found] = quorum(servers('etcd2', { servers: [up('a:1')], hasLeader: false }));
    expect(found).toMatchObject({ id: 'no-leader', severity: 'stop' });
  });

  test('a store of one, one of which too few are named, and what was not told, are notes', () => {
    const single = quorum(servers('etcd2', { servers: [up('a:1')], voters: { total: 1, up: 1 } }));
    expect(ids(single)).toEqual(['single-server']);
    const few = quorum(
      servers('etcd2', {
        servers: [up('a:1')],
        voters: { total: 3, up: undefined },
        unknown: ['alarms: no'],
      }),
    );
    expect(whats(few)).toEqual([
      'few-servers-named: the address names 1 of 3 voting members',
      'not-told: alarms: no',
    ]);
    const agent = quorum(servers('consul', { servers: [up('a:1')], voters: { total: 3, up: 3 } }));
    expect(ids(agent)).toEqual([]);
  });
});

describe('versions', () => {
  const of = (product: Product, ...found: string[]) =>
    ids(versions(servers(product, { servers: found.map((version, i) => up(`s${i}:1`, { version })) })));

  test.each([
    ['zk2', ['3.8.0', '3.8.0'], []],
    ['zk2', ['3.4.13'], ['version-slow']],
    ['zk2', ['3.10.1'], ['version-untested']],
    ['zk2', ['3.3.6'], ['version-untested', 'version-slow']],
    ['zk2', ['3.8.0', '3.9.3'], ['versions-mixed']],
    ['etcd2', ['3.3.25'], []],
    ['etcd2', ['3.2.0'], ['version-untested']],
    ['etcd2', ['3.6.1'], ['version-untested']],
    ['consul', ['1.8.7'], []],
    ['consul', ['1.15.2'], ['version-untested']],
    ['etcd2', [], []],
  ] as const)('%s %j', (product, found, expected) => {
    expect(of(product, ...found)).toEqual(expected);
  });
});

describe('room', () => {
  const of = (dataBytes: number, toWrite: number, more: Partial<StoreHealth> = {}) => {
    const health = { servers: [up('a:1', { dataBytes, quotaBytes: 100_000_000 })], ...more };
    return whats(capacity(servers('etcd2', health, 'destination'), toWrite));
  };

  test('enough', () => expect(of(10_000_000, 10_000_000)).toEqual([]));

  test('nearly used up, now or by the copy', () => {
    const near = 'quota-near: the database of a:1 has 85.0 MB of at most 100.0 MB';
    expect(of(85_000_000, 0)).toEqual([near]);
    expect(of(50_000_000, 10_000_000)).toHaveLength(1);
  });

  test('less than the copy takes', () => {
    expect(of(50_000_000, 20_000_000)).toEqual([
      'quota-short: the database of a:1 has 50.0 MB of at most 100.0 MB; the copy may need 80.0 MB',
    ]);
  });

  test('of the fullest member, whose quota stops all', () => {
    const members = [
      up('a:1', { dataBytes: 1, quotaBytes: 100 }),
      up('b:1', { dataBytes: 90, quotaBytes: 100 }),
      up('c:1'),
    ];
    expect(whats(capacity(servers('etcd2', { servers: members }), 0))[0]).toMatch(/of b:1/);
  });

  test('an alarm stops, whatever is free', () => {
    expect(of(1, 0, { alarms: ['NOSPACE'] })).toEqual(['alarm: the alarm NOSPACE is raised']);
  });
});

describe('clocks', () => {
  const of = (aheadMs: number, plusMinusMs: number, probed = false) => {
    const clock = { aheadMs, plusMinusMs };
    const told = servers('etcd2', { servers: probed ? [] : [up('a:1', { clock })] });
    const scopes = probed ? [scope({}, { side: 'destination', probed: { clock } })] : [];
    return whats(clocks([sideOf('etcd2', { servers: [told], scopes })]));
  };

  test('that may be right are not told of', () => {
    expect(of(1_900, 10)).toEqual([]);
    expect(of(-2_400, 500)).toEqual([]);
  });

  test('that are off beyond what the reading is exact to', () => {
    expect(of(3_200, 500)).toEqual(['clock-off: the clock of a:1 is 3.2 s (± 0.5 s) ahead of this host’s']);
    expect(of(-60_000, 500)[0]).toMatch(/60\.0 s \(± 0\.5 s\) behind/);
  });

  test('by the time that a store gave a record', () => {
    expect(of(5_000, 1, true)[0]).toMatch(/the leader of e1\.example\.com:2379 is 5\.0 s/);
  });

  test('are read to within the request and the step of the answer', () => {
    // Told in whole seconds, by an exact clock, between 10:00:00.900 and 10:00:01.100.
    expect(readClock(1_000, 1_000, 900, 1_100)).toEqual({ aheadMs: 500, plusMinusMs: 600 });
  });
});

describe('addresses of cells', () => {
  const of = (address: string, source: 'CellInfo' | 'given' | 'store' = 'CellInfo') =>
    whats(
      addresses(sideOf('consul', { cells: [{ name: 'zone1', address: parseAddress(address), source }] })),
    );

  test.each(['localhost:8500', '127.0.0.1:8500', '[::1]:8500', 'http://LOCALHOST:8500', 'a.localhost:8500'])(
    '%s means this host',
    (server) => {
      const found = of(`consul://${server}/vitess/zone1`);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(/address-this-host: the cell’s address .* means this host/);
    },
  );

  test('what to do about one depends on the side: the destination’s is about to be written', () => {
    const cell = { name: 'zone1', address: parseAddress('zk2://localhost/x'), source: 'given' } as const;
    const todo = (side: Side) => addresses(sideOf('zk2', { side, cells: [cell] })).map((each) => each.todo);
    expect(todo('source')).toEqual([expect.stringContaining('--from-cell')]);
    expect(todo('destination')).toEqual([expect.stringContaining('--to-cell')]);
  });

  test('a name without dots is named once', () => {
    expect(of('zk2://zk1:2181,zk2.example.com:2181|zk1:2182/vitess/zone1')).toEqual([
      'address-short-name: the cell’s address names zk1',
    ]);
  });

  test('full names and addresses of hosts are well, and what a file holds has none', () => {
    expect(of('etcd2://e1.example.com:2379,192.0.2.7:2379,[2001:db8::7]:2379/vitess/zone1')).toEqual([]);
    expect(of('consul://localhost:8500/vitess/zone1', 'store')).toEqual([]);
  });
});

describe('what a store holds', () => {
  const kinds = new Map<Kind, number>([
    ['Tablet', 2],
    ['SrvVSchema', 1],
  ]);

  test('is told of a destination', () => {
    expect(whats(contents(scope({ records: 3, kinds }, { side: 'destination' })))).toEqual([
      'destination-holds: the destination holds 2 Tablet, 1 SrvVSchema',
    ]);
    expect(contents(scope({ records: 3, kinds }))).toEqual([]);
    expect(contents(scope({}, { side: 'destination' }))).toEqual([]);
  });

  test('tablets of other cells stop', () => {
    const tabletCells = new Map([
      ['zone1', 5],
      ['zone2', 3],
    ]);
    const [found] = contents(scope({ tabletCells }, { name: 'zone1' }));
    expect(found).toMatchObject({
      id: 'other-cell',
      severity: 'stop',
      what: 'the cell’s store holds 3 tablets of cell zone2',
    });
  });
});

describe('locks', () => {
  const entry = (action: string, orphan = false): FoundEntry => ({
    path: 'keyspaces/commerce/shards/0/locks/1',
    version: Version.of('test:', '1'),
    contents: '',
    holds: true,
    owner: orphan ? undefined : 'session',
    since: undefined,
    ttlLeftMs: undefined,
    orphan,
    said: { action, host: 'h7', user: 'vitess', time: undefined, status: 'Running' },
  });
  const lock = (more: Partial<FoundLock>): FoundLock => ({
    type: 'shard',
    name: 'commerce/0',
    dir: 'keyspaces/commerce/shards/0',
    entries: [],
    leftOver: false,
    ...more,
  });
  const of = (found: FoundLock, side: Side = 'source', overruled = false) =>
    locks(scope({ locks: [found] }, { side }), overruled);

  test('held ones stop, and say who holds them for what', () => {
    expect(of(lock({ entries: [entry('CreateShard')] }))).toMatchObject([
      {
        id: 'lock-held',
        severity: 'stop',
        path: 'keyspaces/commerce/shards/0',
        what: 'the lock of shard commerce/0 is held by vitess@h7 for CreateShard',
      },
    ]);
  });

  test('an order to a tablet is one, whatever it says', () => {
    const tablet = { type: 'tablet', name: 'nyc-0000000001', dir: 'tablets/nyc-0000000001' } as const;
    expect(ids(of(lock({ ...tablet, entries: [entry('Ping')] })))).toEqual(['operation-running']);
  });

  test.each([
    'PlannedReparentShard(zone1-0000000101, AvoidPrimary = )',
    'EmergencyReparentShard(zone1-0000000101)',
    'VTOrc Recovery: reparent',
    'Reshard',
    'SwitchWrites',
    'DeleteKeyspace',
    'MoveTables',
  ])('an operation that changes several records is told as one: %s', (action) => {
    expect(ids(of(lock({ entries: [entry(action)] })))).toEqual(['operation-running']);
  });

  test('named ones, orphans and what was left behind are told apart', () => {
    expect(ids(of(lock({ type: 'name', entries: [entry('SwitchTraffic')] })))).toEqual(['named-lock']);
    expect(whats(of(lock({ entries: [entry('Reparent', true)] })))).toEqual([
      'lock-orphan: the lock of shard commerce/0 belongs to no session, taken for Reparent by vitess@h7',
    ]);
    expect(of(lock({ leftOver: true }))).toMatchObject([{ id: 'lock-left-over', severity: 'warn' }]);
    expect(of(lock({ type: 'election', entries: [entry('x')] }))).toEqual([]);
  });

  test('held ones of the source are let pass by --allow-locks, those of the destination are not', () => {
    const held = lock({ entries: [entry('CreateShard')] });
    expect(of(held, 'source', true)).toMatchObject([{ id: 'lock-held', severity: 'note' }]);
    expect(of(held, 'destination', true)).toMatchObject([{ id: 'lock-held', severity: 'stop' }]);
  });
});

describe('operations in progress, by records', () => {
  const shard = (fields: object): DecodedRecord => ({
    kind: 'Shard',
    path: 'keyspaces/ks/shards/0/Shard',
    fields: { primary_alias: { cell: 'zone1', uid: 1 }, is_primary_serving: true, ...fields } as never,
  });
  const of = (...decoded: DecodedRecord[]) => whats(operations(scope({ decoded })));

  test('a shard at rest shows nothing', () => expect(of(shard({}))).toEqual([]));

  test.each([
    [{ tablet_controls: [{ tablet_type: 'PRIMARY', frozen: true }] }, 'frozen: the shard is frozen'],
    [
      { tablet_controls: [{ denied_tables: ['t1', 't2'] }, { denied_tables: ['t2'] }] },
      'denied-tables: queries to tables are refused: t1, t2',
    ],
    [{ source_shards: [{ keyspace: 'a', shard: '0' }] }, 'source-shards: the shard is filled from a/0'],
    [{ primary_alias: undefined }, 'shard-without-primary: the shard has no primary'],
    [{ is_primary_serving: false }, 'shard-not-serving: the shard does not serve'],
  ])('%j', (fields, expected) => {
    expect(of(shard(fields))).toEqual([expected]);
  });

  test('a shard whose query service is off in SrvKeyspace, and recorded workflows', () => {
    const partitions = [
      { served_type: 'REPLICA', shard_tablet_controls: [{ name: '-80', query_service_disabled: true }] },
      { served_type: 'PRIMARY', shard_tablet_controls: [{ name: '-80' }] },
    ];
    const record = { kind: 'SrvKeyspace', path: 'keyspaces/ks/SrvKeyspace', fields: { partitions } } as const;
    expect(of(record as never)).toEqual(['query-service-disabled: REPLICA tablets of -80 serve no queries']);
    expect(ids(operations(scope({ workflows: ['workflows/1/Workflow'] })))).toEqual(['workflow-record']);
  });
});

describe('settings that a move needs', () => {
  const of = (product: Product, side: Side, lockTtlMs?: number) =>
    whats(moveSettings(sideOf(product, { side, lockTtlMs })));

  test('a lease of etcd that outlives a reparent', () => {
    expect(of('etcd2', 'destination')).toEqual(['lease-ttl: --to-topo-etcd-lease-ttl is not given']);
    expect(of('etcd2', 'destination', 30_000)).toEqual(['lease-ttl: --to-topo-etcd-lease-ttl is 30 s']);
    expect(of('etcd2', 'destination', 120_000)).toEqual([]);
    expect(of('etcd2', 'source')).toEqual([]);
    expect(of('zk2', 'destination')).toEqual([]);
  });

  test('sidecar_db_name, of which ten are named', () => {
    const keyspace = (i: number): DecodedRecord => ({
      kind: 'Keyspace',
      path: `keyspaces/k${i}/Keyspace`,
      fields: i === 0 ? { sidecar_db_name: '_vt' } : {},
    });
    const decoded = Array.from({ length: 13 }, (_, i) => keyspace(i));
    const [found] = moveSettings(sideOf('zk2', { scopes: [scope({ decoded })] }));
    expect(found).toMatchObject({
      id: 'sidecar-db-name',
      what: expect.stringMatching(/k1, .*k10, and 2 more$/),
    });
  });
});

describe('rights', () => {
  const error = (code: ErrorCode) => new TopologyError(code, 'refused', { path: 'topo2topo/doctor' });
  const of = (side: Side, probed: Probed) => reach([scope({}, { side, probed })]);

  test('to write and to lock the destination are needed, those to the source only for a freeze', () => {
    expect(of('destination', {})).toEqual([]);
    const denied = error(ErrorCode.Unauthorized);
    expect(of('destination', { write: denied })).toMatchObject([
      { id: 'cannot-write', severity: 'stop', what: 'refused (path topo2topo/doctor) [Unauthorized]' },
    ]);
    expect(of('destination', { lock: denied })).toMatchObject([{ id: 'cannot-lock', severity: 'stop' }]);
    expect(of('destination', { left: denied })).toMatchObject([{ id: 'probe-left', severity: 'warn' }]);
    for (const probed of [{ write: denied }, { lock: denied }])
      expect(of('source', probed)).toMatchObject([{ id: 'source-not-lockable', severity: 'warn' }]);
  });

  test('to read are needed everywhere', () => {
    for (const [code, id] of [
      [ErrorCode.Unauthorized, 'refused'],
      [ErrorCode.Unavailable, 'unreachable'],
      [ErrorCode.Timeout, 'unreachable'],
    ] as const)
      expect(reach([{ ...scope({}), failure: error(code) }])).toMatchObject([{ id, severity: 'stop' }]);
  });
});

describe('a dial matrix', () => {
  const row = (from: string, server: string, isUp: boolean, scopes = ['zone1']): DialRow => ({
    from,
    side: 'destination',
    scopes,
    server,
    up: isUp,
  });

  test('has a row for each server', () => {
    const health = { servers: [up('a:1', { ms: 3 }), { server: 'b:1', up: false, problem: 'refused' }] };
    expect(dialRows('zone1', [servers('zk2', health)])).toEqual([
      { from: 'zone1', side: 'source', scopes: [GLOBAL, 'zone1'], server: 'a:1', up: true, ms: 3 },
      {
        from: 'zone1',
        side: 'source',
        scopes: [GLOBAL, 'zone1'],
        server: 'b:1',
        up: false,
        problem: 'refused',
      },
    ]);
  });

  test('says from where a store, or one of its servers, is not reached', () => {
    expect(cutOff([row('zone1', 'a:1', true), row('zone1', 'b:1', true)])).toEqual([]);
    expect(cutOff([row('zone1', 'a:1', true), row('zone1', 'b:1', false)])).toMatchObject([
      { id: 'server-cut-off', severity: 'warn', what: 'from cell zone1 not reached: b:1 (no answer)' },
    ]);
    expect(cutOff([row('zone1', 'a:1', false), row('zone1', 'b:1', false)])).toMatchObject([
      { id: 'cell-cut-off', severity: 'stop', side: 'destination', scope: 'zone1' },
    ]);
  });

  test('says which cells nobody dialled from', () => {
    expect(whats(cutOff([row('zone1', 'a:1', true, ['global', 'zone1', 'zone2'])]))).toEqual([
      'cell-not-dialled: nothing was dialled from cell zone2',
    ]);
  });
});

describe('an estimate', () => {
  const source = sideOf('zk2', { scopes: [scope({ records: 10_000, bytes: 3_000_000, ms: 500 })] });
  const to = (writeMs: number) =>
    sideOf('etcd2', {
      side: 'destination',
      scopes: [scope({}, { side: 'destination', probed: { writeMs } })],
    });
  const plan = {
    cells: [],
    scopes: [{ toWrite: 9_000, counts: new Map([['Tablet', { bytes: 2_000_000 }]]) }],
  } as never;

  test('is two readings, and the writes by what one took', () => {
    const found = estimate([source, to(20)], plan, 100);
    expect(found).toMatchObject({ records: 10_000, recordsPerSecond: 20_000, toWrite: 9_000, seconds: 2.8 });
    if (found === undefined) throw new Error('an estimate');
    expect(estimated(found).what).toBe(
      'the source holds 10000 records, 3000000 bytes; read at 20000 records a second; 9000 to write; a copy takes about 3 s',
    );
  });

  test('gives no time where nothing was written or planned, and nothing without a source', () => {
    expect(estimate([source], plan, 100)?.seconds).toBeUndefined();
    expect(estimate([source, to(20)], undefined, 100)?.seconds).toBeUndefined();
    expect(estimate([to(20)], undefined, 1)).toBeUndefined();
  });
});

test('docs/doctor.md has every finding with its severity, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/doctor.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (stop|warn|note) /gm)].map(([, id, severity]) => [
    id,
    severity,
  ]);
  const known = Object.entries(DIAGNOSES).map(([id, { severity }]) => [id, severity]);
  expect(rows.toSorted()).toEqual(known.toSorted());
});
