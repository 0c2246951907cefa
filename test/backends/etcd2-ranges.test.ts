import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { write } from '../../src/backends/etcd2/batch.js';
import { EtcdClient } from '../../src/backends/etcd2/client.js';
import { addressFromTriple } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { WriteOp } from '../../src/topo/connection.js';
import { available, ETCD_VERSIONS, type EtcdCluster, startEtcd } from '../servers/index.js';
import { errorOf, etcdHolds } from './etcd2-support.js';

const ROOT = '/vitess/zone1';
const USER = { username: 'vitess', password: 'secret-2' };

const pathOf = (name: string, i: number) => `${name}/${String(i).padStart(3, '0')}`;

/** New records in order, in a directory of their own. */
function run(name: string): WriteOp[] {
  return Array.from({ length: 40 }, (_, i) => ({
    type: 'create',
    path: pathOf(name, i),
    bytes: Buffer.from(`new ${i}`),
  }));
}

for (const version of ETCD_VERSIONS) {
  describe.runIf(available.etcd(version))(`runs of new records on etcd ${version}`, () => {
    let etcd: EtcdCluster;
    const clients: EtcdClient[] = [];
    beforeAll(async () => {
      etcd = await startEtcd({ version });
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.close();
    });
    afterAll(() => etcd.stop());

    const opened = (settings: Partial<ConnectSettings> = {}) => {
      const client = new EtcdClient(addressFromTriple('etcd2', etcd.servers, ROOT), {
        clock: systemClock,
        random: Math.random,
        connectTimeoutMs: 5_000,
        requestTimeoutMs: 10_000,
        ...settings,
      });
      clients.push(client);
      return client;
    };
    const known = async (client: EtcdClient) => {
      await expect.poll(() => client.rangeConditions.suit(run('asked')), { timeout: 5_000 }).toBe(true);
      return client;
    };
    const transactions = async () => {
      const metrics = await (await fetch(`${etcd.endpoints[0]}/metrics`)).text();
      const line = /^grpc_server_handled_total\{grpc_code="OK",grpc_method="Txn".*\} (\d+)$/m.exec(metrics);
      return Number(line?.[1] ?? 0);
    };
    const held = async (dir: string) => {
      const all = [...(await etcdHolds(etcd))].map(([key, value]) => [key, value.toString()] as const);
      return new Map(all.filter(([key]) => key.startsWith(`${ROOT}/${dir}/`)));
    };
    const asWritten = (name: string) =>
      new Map(run(name).map(({ path }, i) => [`${ROOT}/${path}`, `new ${i}`] as const));

    test('they are written before anything is known of the cluster, and after it', async () => {
      const client = opened();
      expect(client.rangeConditions.suit(run('early').slice(0, 10))).toBe(false);
      await write(client, run('early'), {});
      await known(client);
      const versions = await write(client, run('late'), {});
      expect(new Set(versions.map((each) => each?.token)).size).toBe(1);
      expect(await held('early')).toEqual(asWritten('early'));
      expect(await held('late')).toEqual(asWritten('late'));
    });

    test('one that is there already is named, kept, and nothing is written', async () => {
      const client = await known(opened());
      for (const [name, at] of [
        ['first', 0],
        ['middle', 17],
        ['last', 39],
      ] as const) {
        await etcd.ctl('put', `${ROOT}/${pathOf(name, at)}`, 'of somebody else');
        expect(await errorOf(write(client, run(name), {}))).toMatchObject({
          code: 'NodeExists',
          path: pathOf(name, at),
        });
        expect(await held(name)).toEqual(new Map([[`${ROOT}/${pathOf(name, at)}`, 'of somebody else']]));
      }
      expect(client.rangeConditions.suit(run('next'))).toBe(true);
    });

    test('keys that are nobody’s business lie between: written all the same, and each batch once from then on', async () => {
      const client = await known(opened());
      await write(client, run('beside'), {});
      const between = `${ROOT}/${pathOf('between', 17)}.lock`;
      await etcd.ctl('put', between, 'of somebody else');
      const before = await transactions();
      await write(client, run('between'), {});
      expect((await transactions()) - before).toBe(2);
      expect(await held('between')).toEqual(
        new Map([...asWritten('between'), [between, 'of somebody else']]),
      );
      await etcd.ctl('put', `${ROOT}/${pathOf('again', 17)}.lock`, 'of somebody else');
      await write(client, run('again'), {});
      expect((await transactions()) - before).toBe(3);
    });

    test('what comes before the first and after the last of them does not matter', async () => {
      const client = await known(opened());
      for (const key of [
        `${pathOf('edge', 0).slice(0, -1)}/`,
        `${pathOf('edge', 39)}.`,
        `${pathOf('edge', 39)}/x`,
      ])
        await etcd.ctl('put', `${ROOT}/${key}`, 'of somebody else');
      const before = await transactions();
      await write(client, run('edge'), {});
      expect((await transactions()) - before).toBe(1);
    });

    test('who has rights to the keys alone, and not to what lies between, writes them', async () => {
      const role = async (name: string, ...grants: string[][]) => {
        await etcd.ctl('role', 'add', name).catch(() => 'newer ones have it');
        for (const grant of grants) await etcd.ctl('role', 'grant-permission', name, ...grant);
      };
      const keys = run('granted').map(({ path }) => `${ROOT}/${path}`);
      await etcd.ctl('user', 'add', 'root:secret-1');
      await role('root');
      await etcd.ctl('user', 'grant-role', 'root', 'root');
      await etcd.ctl('user', 'add', `${USER.username}:${USER.password}`);
      await role('vitess', ...keys.map((key) => ['readwrite', key]));
      await etcd.ctl('user', 'grant-role', 'vitess', 'vitess');
      await etcd.ctl('auth', 'enable');
      try {
        const client = await known(opened({ etcdAuth: USER }));
        await write(client, run('granted'), {});
        expect(client.rangeConditions.suit(run('granted'))).toBe(false);
      } finally {
        await etcd.ctl('--user', 'root:secret-1', 'auth', 'disable');
      }
      expect(await held('granted')).toEqual(asWritten('granted'));
    });
  });
}
