import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { available, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { FIXTURES, fixtures } from '../support/fixtures.js';
import { cellFlags, contents, expected, type Layout, plant } from '../support/topologies.js';

const runs = available.zookeeper('3.8') && available.etcd('3.4');

interface CopyJson {
  written: number;
  scopes: {
    scope: string;
    writes: unknown[];
    extra: unknown[];
    skipped: { path: string }[];
    findings: { path: string }[];
  }[];
}
interface VerifyJson {
  equal: boolean;
  compared: number;
  differences: unknown[];
  notes: { type: string; path: string }[];
}

describe.runIf(runs)('a topology written by Vitess goes from ZooKeeper to etcd', () => {
  let zookeepers: Awaited<ReturnType<typeof startZooKeeper>>[];
  let etcd: Awaited<ReturnType<typeof startEtcd>>;
  let folder: string;

  beforeAll(async () => {
    [zookeepers, etcd, folder] = await Promise.all([
      Promise.all([1, 2, 3].map(() => startZooKeeper({ version: '3.8' }))),
      startEtcd({ version: '3.4' }),
      mkdtemp(join(tmpdir(), 'topo2topo-')),
    ]);
  });
  afterAll(async () => {
    await Promise.all([...zookeepers, etcd].map((server) => server?.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const zk = (index: number) => zookeepers[index]?.servers ?? '';

  /** Reads through etcdctl, so that our own reading cannot hide what our writing did. */
  async function etcdContents(root: string): Promise<Map<string, Buffer>> {
    const stdout = await etcd.ctl('get', '--prefix', `${root}/`, '-w', 'json');
    const { kvs = [] } = JSON.parse(stdout) as { kvs?: { key: string; value?: string }[] };
    return new Map(
      kvs.map(({ key, value = '' }) => [
        Buffer.from(key, 'base64')
          .toString('utf8')
          .slice(root.length + 1),
        Buffer.from(value, 'base64'),
      ]),
    );
  }

  for (const name of FIXTURES) {
    const records = fixtures(name);
    for (const layoutName of ['separate servers', 'one server with roots that look nested']) {
      test.runIf(records !== undefined)(
        `${name} on ${layoutName}: every value arrives, a second run is empty`,
        async () => {
          if (records === undefined) return;
          const id = `${name}-${layoutName.split(' ')[0]}`;
          const from: Layout =
            layoutName === 'separate servers'
              ? {
                  global: `zk2://${zk(0)}/${id}/global`,
                  zone1: `zk2://${zk(1)}/${id}/local`,
                  zone2: `zk2://${zk(2)}/${id}/local`,
                }
              : {
                  global: `zk2://${zk(0)}/${id}/vitess`,
                  zone1: `zk2://${zk(0)}/${id}/vitess1`,
                  zone2: `zk2://${zk(0)}/${id}/vitess10`,
                };
          const to: Layout = {
            global: `etcd2://${etcd.servers}/${id}/global`,
            zone1: `etcd2://${etcd.servers}/${id}/zone1`,
            zone2: `etcd2://${etcd.servers}/${id}/zone10`,
          };
          await plant(records, from);
          const copy = ['copy', from['global'] ?? '', to['global'] ?? '', ...cellFlags('--to-cell', to)];

          const dry = (await cliJson([...copy, '--dry-run'])) as CopyJson;
          expect(dry.scopes.flatMap((scope) => scope.writes)).toHaveLength(records.length);
          expect(await etcdContents(`/${id}`)).toEqual(new Map());

          const first = (await cliJson(copy)) as CopyJson;
          expect(first.written).toBe(records.length);
          expect(first.scopes.flatMap((scope) => scope.skipped)).toEqual([]);
          expect(first.scopes.flatMap((scope) => scope.findings.map((finding) => finding.path))).toEqual([
            'custom/blob.bin',
          ]);
          for (const scope of ['global', 'zone1', 'zone2']) {
            const root = new URL(to[scope] ?? '').pathname;
            expect(await etcdContents(root)).toEqual(expected(records, scope, to));
          }

          const verified = (await cliJson([
            'verify',
            from['global'] ?? '',
            to['global'] ?? '',
          ])) as VerifyJson;
          expect(verified).toMatchObject({ equal: true, compared: records.length, differences: [] });
          expect(verified.notes.map(({ type, path }) => `${type} ${path}`)).toEqual([
            'address cells/zone1/CellInfo',
            'address cells/zone2/CellInfo',
          ]);

          const second = (await cliJson(copy)) as CopyJson;
          expect(second.written).toBe(0);
          expect(second.scopes.flatMap((scope) => [...scope.writes, ...scope.extra])).toEqual([]);

          const file = join(folder, `${id}.topo`);
          const backup = (await cliJson(['copy', from['global'] ?? '', `file:${file}`])) as CopyJson;
          expect(backup.written).toBe(records.length);
          const again = (await cliJson(['copy', from['global'] ?? '', `file:${file}`])) as CopyJson;
          expect(again.written).toBe(0);
          expect(await contents(`file:${file}`)).toEqual(expected(records, 'global', from));

          const back: Layout = {
            global: `zk2://${zk(1)}/${id}-back/global`,
            zone1: `zk2://${zk(1)}/${id}-back/zone1`,
            zone2: `zk2://${zk(1)}/${id}-back/zone2`,
          };
          await cliJson([
            'copy',
            `file:${file}`,
            back['global'] ?? '',
            '--to-cell-root',
            `/${id}-back/{cell}`,
          ]);
          for (const scope of ['global', 'zone1', 'zone2']) {
            expect(await contents(back[scope] ?? '')).toEqual(expected(records, scope, back));
          }
          expect((await cli(['verify', `file:${file}`, back['global'] ?? ''])).code).toBe(0);
          expect((await cli(['verify', from['global'] ?? '', back['global'] ?? ''])).code).toBe(0);
        },
        60_000,
      );
    }
  }
});
