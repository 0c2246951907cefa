import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  available,
  type Cluster,
  type EtcdCluster,
  startConsul,
  startEtcd,
  startZooKeeper,
} from '../servers/index.js';
import { addressOn, PRODUCTS } from '../support/products.js';
import { until } from '../support/until.js';
import { doctor, found, plantOn, type Told } from './doctor-tools.js';
import { plantSample } from './sample.js';

const LIMIT_MS = 240_000;

const THREE: Readonly<Record<string, () => Promise<Cluster>>> = {
  zk2: () => startZooKeeper({ version: '3.8', members: 3, config: { tickTime: '500' } }),
  etcd2: () => startEtcd({ version: '3.5', members: 3 }),
  consul: () => startConsul({ version: '1.8', members: 3 }),
};

describe.each(PRODUCTS.filter((product) => product.available))('three members of $name', (product) => {
  let cluster: Cluster;
  let source: string[];
  beforeAll(async () => {
    const start = THREE[product.implementation];
    if (start === undefined) throw new Error(product.implementation);
    cluster = await start();
    const { address, cells } = await plantOn(product, cluster);
    source = ['--from', address('global'), ...cells, '--timeout', '8'];
  }, LIMIT_MS);
  afterAll(() => cluster?.stop());
  afterEach(() => cluster.restore(), LIMIT_MS);

  const votersOf = (told: Told) => told.sides[0]?.servers[0]?.voters;
  /** Waits until the members have noticed. */
  const eventually = async (code: number, isSo: (told: Told) => boolean): Promise<Told> => {
    let told: Told | undefined;
    await until(
      'doctor sees it',
      async () => {
        told = await doctor(source, code).catch(() => undefined);
        return told !== undefined && isSo(told);
      },
      120_000,
    );
    if (told === undefined) throw new Error('told');
    return told;
  };

  test('all up, one down, two down', { timeout: LIMIT_MS }, async () => {
    const well = await eventually(0, (told) => JSON.stringify(votersOf(told)) === '{"total":3,"up":3}');
    expect(found(well, 'server-down', 'no-spare', 'single-server', 'no-leader', 'versions-mixed')).toEqual(
      [],
    );

    await cluster.members[1]?.kill();
    const one = await eventually(0, (told) => found(told, 'no-spare').length > 0);
    expect(one.mayStart).toBe(true);
    expect(found(one, 'server-down')).toEqual([
      expect.stringMatching(
        `^server-down source global, zone1, zone2: ${cluster.members[1]?.address} does not serve: \\S`,
      ),
    ]);
    expect(found(one, 'no-spare')).toEqual([
      'no-spare source global, zone1, zone2: 2 of 3 voting members are up: none more may fail',
    ]);

    await cluster.members[2]?.kill();
    const two = await eventually(3, (told) => found(told, 'unreachable').length > 0);
    expect(two.mayStart).toBe(false);
    expect(found(two, 'server-down').length).toBeGreaterThanOrEqual(2);
    await cluster.members[1]?.restart();
    await cluster.members[2]?.restart();
    await eventually(0, (told) => JSON.stringify(votersOf(told)) === '{"total":3,"up":3}');
  });

  test('of which the address names one', { timeout: LIMIT_MS }, async () => {
    const one = { ...cluster, servers: cluster.member.address };
    const told = await doctor(['--to', addressOn(product, one, `doctor-${randomUUID()}/global`)], 0);
    const consul = product.implementation === 'consul';
    expect(found(told, 'few-servers-named')).toHaveLength(consul ? 0 : 1);
  });
});

describe.runIf(available.etcd('3.5'))('the quota of etcd', () => {
  const QUOTA = 16 * 1024 * 1024;
  let etcd: EtcdCluster;
  beforeAll(async () => {
    etcd = await startEtcd({ version: '3.5', flags: ['--quota-backend-bytes', String(QUOTA)] });
  }, LIMIT_MS);
  afterAll(() => etcd?.stop());

  test('nearly used up, then too small for the copy, then an alarm', { timeout: LIMIT_MS }, async () => {
    const { from } = await plantSample();
    const args = [from, `etcd2://${etcd.servers}/vitess/global`, '--to-cell-root', '/vitess/{cell}'];
    const quota = (told: Told) => found(told, 'quota-near', 'quota-short', 'alarm');
    expect(quota(await doctor(args, 0))).toEqual([]);
    const fill = async (bytes: number) => {
      for (let left = bytes; left > 0; left -= 1_000_000)
        await etcd.ctl('put', `/other/${randomUUID()}`, 'x'.repeat(120_000)).catch(() => undefined);
    };
    const size = async () => {
      const { sides } = await doctor(args, 0).catch(() => ({ sides: [] as Told['sides'] }));
      return Number(sides[1]?.servers[0]?.servers[0]?.['dataBytes'] ?? 0);
    };
    await until(
      'near',
      async () => {
        await fill(8_000_000);
        return (await size()) > QUOTA * 0.82;
      },
      100_000,
    );
    expect(quota(await doctor(args, 0))).toEqual([
      expect.stringMatching(
        /^quota-near destination global, zone1, zone2: the database of \S+ has 1\d\.\d MB of at most 16\.8 MB$/,
      ),
    ]);
    await until(
      'full',
      async () => {
        await fill(8_000_000);
        return (await etcd.ctl('alarm', 'list')).includes('NOSPACE');
      },
      100_000,
    );
    const full = await doctor(args, 4);
    expect(quota(full)).toContainEqual(
      expect.stringMatching(/^alarm destination .*: the alarm NOSPACE is raised$/),
    );
    expect(found(full, 'cannot-write').length).toBeGreaterThan(0);
  });
});
