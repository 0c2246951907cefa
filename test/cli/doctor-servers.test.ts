import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { examine } from '../../src/copy/preflight/examine.js';
import { parseAddress } from '../../src/topo/address.js';
import { type Clock, systemClock } from '../../src/topo/clock.js';
import { makeLockContents } from '../../src/topo/lock-contents.js';
import { Topology } from '../../src/topo/topology.js';
import { freePorts } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { addressOn, PRODUCTS, type Server } from '../support/products.js';
import { SETTINGS, withStore } from '../support/topologies.js';
import { until } from '../support/until.js';
import { doctor, found, natives, plantOn } from './doctor-tools.js';

const LIMIT_MS = 150_000;
const SHARD = 'keyspaces/commerce/shards/0';
const HOLDER = { host: 'host-7', user: 'vitess' };

let files: string;
beforeAll(() => {
  files = mkdtempSync(join(tmpdir(), 'topo2topo-doctor-'));
});
afterAll(() => rmSync(files, { recursive: true }));

describe.each(PRODUCTS.filter((product) => product.available))('doctor on $name', (product) => {
  let server: Server;
  beforeAll(async () => {
    server = await product.start();
  }, LIMIT_MS);
  afterAll(() => server?.stop());

  async function sides() {
    const planted = await plantOn(product, server);
    const to = addressOn(product, server, `${planted.folder}-to/global`);
    const cellRoot = ['--to-cell-root', product.root(`${planted.folder}-to/{cell}`)];
    const both = [planted.address('global'), to, ...planted.cells, ...cellRoot];
    return { ...planted, to, both };
  }
  const everything = () =>
    natives(addressOn(product, server, 'global'), product.implementation === 'zk2' ? '/' : '');

  test('reads, writes and locks every part of both sides, and leaves nothing behind', {
    timeout: LIMIT_MS,
  }, async () => {
    const { both } = await sides();
    const before = await everything();
    let told = await doctor([...both, '--probe-source'], 0);
    expect(await everything()).toEqual(before);
    // A young Consul does not know yet how its servers are.
    await until(
      'the servers tell all',
      async () => {
        if (found(told, 'not-told').length === 0) return true;
        told = await doctor([...both, '--probe-source'], 0);
        return false;
      },
      60_000,
    );
    expect(told.mayStart).toBe(true);
    for (const { stores } of told.sides)
      for (const store of stores)
        expect(store).toMatchObject({ reached: true, writable: true, lockable: true });
    expect(told.sides.map(({ stores }) => stores.map(({ scope, records }) => [scope, records]))).toEqual([
      [
        ['global', 24],
        ['zone1', 25],
        ['zone2', 23],
      ],
      [
        ['global', 0],
        ['zone1', 0],
        ['zone2', 0],
      ],
    ]);
    for (const { servers } of told.sides)
      expect(servers).toMatchObject([
        {
          scopes: ['global', 'zone1', 'zone2'],
          servers: [
            {
              server: server.servers,
              up: true,
              ms: expect.any(Number),
              version: expect.stringMatching(/^\d+\.\d+\.\d+/),
            },
          ],
          voters: { total: 1, up: 1 },
          hasLeader: true,
          unknown: [],
        },
      ]);
    expect(found(told, 'single-server', 'estimate', 'version-untested', 'clock-off', 'not-told')).toEqual([
      'single-server source global, zone1, zone2: the store has one member',
      'single-server destination global, zone1, zone2: the store has one member',
      expect.stringMatching(
        /^estimate: the source holds 72 records, .*; 72 to write; a copy takes about \d+ s$/,
      ),
    ]);
    expect(found(told, 'lease-ttl')).toHaveLength(product.implementation === 'etcd2' ? 1 : 0);
    expect(found(told, 'address-this-host')).toEqual([
      expect.stringMatching(
        /^address-this-host source zone1: the cell’s address 127\.0\.0\.1:\d+ means this host$/,
      ),
      expect.stringMatching(/source zone2/),
      expect.stringMatching(/destination zone1/),
      expect.stringMatching(/destination zone2/),
    ]);
    const text = await cli(['doctor', ...both]);
    expect(text.out).toMatch(
      /\n {2}1 of 1 server up, version \S+, 1 of 1 voting members up, with a leader\n/,
    );
    expect(text.out).toMatch(/\nthe migration may start, \d+ warnings\n$/);
    expect(await everything()).toEqual(before);
  });

  test('held, named and orphaned locks are told apart, whichever side they are on', {
    timeout: LIMIT_MS,
  }, async () => {
    const { both, address } = await sides();
    const contents = (action: string) => makeLockContents({ ...HOLDER, action, now: Date.now() });
    await withStore(address('global'), async (store) => {
      const held = [
        await store.lock(SHARD, contents('PlannedReparentShard(zone1-0000000101)')),
        await store.lock('keyspaces/customer', contents('ApplyVSchema')),
        await store.lockName('customer.wf', contents('SwitchTraffic')),
      ];
      expect(found(await doctor(both, 4), 'operation-running', 'lock-held', 'named-lock').sort()).toEqual([
        'lock-held source global: the lock of keyspace customer is held by vitess@host-7 for ApplyVSchema',
        'named-lock source global: the lock of name customer.wf is held by vitess@host-7 for SwitchTraffic',
        'operation-running source global: the lock of shard commerce/0 is held by vitess@host-7 for PlannedReparentShard(zone1-0000000101)',
      ]);
      for (const lock of held) await lock.unlock();
      expect((await doctor(both, 0)).mayStart).toBe(true);
      const orphan = product.implementation === 'consul' ? `${SHARD}/Lock` : `${SHARD}/locks/0000000003`;
      await store.create(orphan, Buffer.from(contents('EmergencyReparentShard')));
    });
    expect(found(await doctor(both, 4), 'lock-orphan')).toEqual([
      'lock-orphan source global: the lock of shard commerce/0 belongs to no session, taken for EmergencyReparentShard by vitess@host-7',
    ]);
  });

  test('a clock that is off is told of, by how much', { timeout: LIMIT_MS }, async () => {
    const { address, cells } = await sides();
    const hour = 3_600_000;
    const ahead: Clock = {
      now: () => systemClock.now() + hour,
      schedule: (ms, call) => systemClock.schedule(ms, call),
    };
    const destination = await Topology.open({
      global: parseAddress(address('global')),
      cells: new Map(
        cells
          .filter((each) => each !== '--from-cell')
          .map((each) => {
            const [cell = '', where = ''] = each.split('=');
            return [
              cell,
              parseAddress(`${product.implementation}://${where.replace(',/', '/').replace(',', '/')}`),
            ];
          }),
      ),
      stores: storesFor({ ...SETTINGS, clock: ahead }, 'write'),
    });
    try {
      const examined = await examine({
        destination,
        probes: { source: false, destination: true },
        clock: ahead,
        concurrency: 2,
        signal: new AbortController().signal,
      });
      const off = examined.found.filter(({ id }) => id === 'clock-off');
      expect(off.length).toBeGreaterThan(0);
      for (const { what } of off) {
        const [, seconds] = /is (\d+\.\d) s \(± \d+\.\d s\) behind this host’s$/.exec(what) ?? [];
        expect(Math.abs(Number(seconds) - 3_600)).toBeLessThan(30);
      }
    } finally {
      await destination.close();
    }
  });

  test('--from-here dials every server, and --matrix judges what several cells saw', {
    timeout: LIMIT_MS,
  }, async () => {
    const { both } = await sides();
    const here = await cli(['doctor', ...both, '--from-here', 'zone1', '--output', 'json']);
    expect(here).toMatchObject({ code: 0, err: '' });
    const rows = here.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toMatchObject(
      ['source', 'destination'].map((side) => ({
        from: 'zone1',
        side,
        scopes: ['global', 'zone1', 'zone2'],
        server: server.servers,
        up: true,
      })),
    );
    const [one, two] = ['one', 'two'].map((name) => join(files, `${product.implementation}-${name}.jsonl`));
    if (one === undefined || two === undefined) throw new Error('two files');
    writeFileSync(one, here.out);
    const half = await doctor(['--matrix', one], 0);
    expect(found(half, 'cell-not-dialled')).toEqual([
      'cell-not-dialled zone2: nothing was dialled from cell zone2',
    ]);
    const there = await cli(['doctor', ...both, '--from-here', 'zone2', '--output', 'json']);
    writeFileSync(two, there.out);
    expect((await doctor(['--matrix', one, '--matrix', two], 0)).findings).toEqual([]);
  });

  test('--from-here tells which servers of a store are not reached', { timeout: LIMIT_MS }, async () => {
    const { folder, address, cells } = await plantOn(product, server);
    const [port] = await freePorts(1);
    const dead = `127.0.0.1:${port}`;
    const two = address('global').replace(server.servers, `${server.servers},${dead}`);
    const partly = await cli(['doctor', '--from', two, ...cells, '--from-here', 'zone1', '--timeout', '5']);
    expect(partly.code).toBe(0);
    expect(partly.out).toMatch(new RegExp(`zone1 +source +global +${dead} +no `));
    expect(partly.out).toMatch(/warn server-cut-off source global: from cell zone1 not reached: 127/);
    const gone = `${product.implementation}://${dead}/${product.root(`${folder}/global`).replace(/^\//, '')}`;
    const none = await cli([
      'doctor',
      '--from',
      address('global'),
      ...cells,
      '--to',
      gone,
      '--from-here',
      'zone1',
      '--timeout',
      '5',
    ]);
    expect(none.code).toBe(3);
    expect(none.out).toMatch(/stop cell-cut-off destination global: from cell zone1 not reached: 127/);
  });

  test('a cell whose address leads to another cell’s store, and one whose store is not there', {
    timeout: LIMIT_MS,
  }, async () => {
    const { both, folder } = await sides();
    const mixed = both.map((each) =>
      each.replace(/^zone2=.*/, `zone2=${server.servers},${product.root(`${folder}/zone1`)}`),
    );
    const told = await doctor(mixed, 4);
    expect(found(told, 'layout', 'other-cell').length).toBeGreaterThan(0);
    const empty = both.map((each) =>
      each.replace(/^zone2=.*/, `zone2=${server.servers},${product.root(`${folder}/nothing`)}`),
    );
    expect(found(await doctor(empty, 4), 'empty-cells')).toEqual([expect.stringMatching(/zone2/)]);
  });
});
