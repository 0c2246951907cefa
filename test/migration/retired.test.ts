import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decode } from '../../src/topo/codec.js';
import { classify } from '../../src/topo/kinds.js';
import { clearZookeeper, plantEtcd, plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import { FIRST } from '../legacy/samples/first.js';
import { nodesOf } from '../legacy/samples/sample.js';
import { WHOLE_RECORDS, WHOLE_ZOOKEEPER, wholeEtcd } from '../legacy/samples/whole.js';
import { available, startEtcd, startZooKeeper } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { contents } from '../support/topologies.js';
import { keepReader } from '../zookeeper/keep-reader.js';

interface CopyJson {
  readonly written: number;
  readonly scopes: readonly {
    readonly scope: string;
    readonly losses: readonly { readonly kind: string; readonly path: string; readonly field: string }[];
    readonly derived: readonly { readonly what: string }[];
    readonly serving: readonly { readonly path: string; readonly serving?: boolean }[];
  }[];
  readonly verification: {
    readonly decision: string;
    readonly differences: unknown[];
    readonly compared: number;
  };
}

const CELLS = ['nyc', 'sfo'] as const;

describe.runIf(available.etcd('3.3') && available.zookeeper('3.8'))('a topology of a retired format', () => {
  let zookeeper: Awaited<ReturnType<typeof startZooKeeper>>;
  let etcds: Awaited<ReturnType<typeof startEtcd>>[];
  let folder: string;

  beforeAll(async () => {
    [zookeeper, etcds, folder] = await Promise.all([
      startZooKeeper({ version: '3.8' }),
      Promise.all(['global', ...CELLS].map(() => startEtcd({ version: '3.3', flags: ['--enable-v2'] }))),
      mkdtemp(join(tmpdir(), 'topo2topo-')),
    ]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([zookeeper, ...(etcds ?? [])].map((server) => server?.stop()));
    await rm(folder, { recursive: true, force: true });
  });
  keepReader(() => zookeeper.servers);

  /** Copies, verifies, and does both again. */
  async function copied(from: string, to: string, ...flags: string[]): Promise<CopyJson> {
    const line = ['copy', from, to, '--verify', ...flags];
    const first = (await cliJson(line)) as CopyJson;
    expect(first.written).toBeGreaterThan(0);
    for (const run of [first, (await cliJson(line)) as CopyJson]) {
      expect(run.verification.differences).toEqual([]);
      expect(run.verification.compared).toBeGreaterThan(20);
    }
    expect(((await cliJson(['plan', from, to, ...flags])) as CopyJson).scopes).toMatchObject(
      first.scopes.map(({ scope }) => ({ scope, writes: [] })),
    );
    return first;
  }

  /** What stores of today hold, but for CellInfo, as {@link WHOLE_RECORDS} has it. */
  async function held(place: (scope: string) => string): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const scope of ['global', ...CELLS])
      for (const [path, bytes] of await contents(place(scope))) {
        const { message, kind } = classify(scope === 'global' ? 'global' : 'cell', path, false);
        if (kind === 'CellInfo') continue;
        found[`${scope}:${path}`] = message === null ? bytes.toString() : decode(message, bytes).json;
      }
    return found;
  }

  /** {@link WHOLE_RECORDS} with the flag that Vitess 12 and newer needs. */
  function serving(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(WHOLE_RECORDS).map(([place, json]) => [
        place,
        place.endsWith('/Shard') && typeof json === 'object' ? { ...json, is_primary_serving: true } : json,
      ]),
    );
  }

  const zk2 = (scope: string) => `zk2://${zookeeper.servers}/vitess/${scope}`;
  const etcd2 = (top: string) => (scope: string) =>
    `etcd2://${etcds[0]?.endpoints[0]?.replace('http://', '')}/${top}/${scope}`;
  const znode = async (path: string) => {
    const { code, bytes } = await cli(['zk', '-server', zookeeper.servers, 'cat', path]);
    return code === 0 ? jsonIn(bytes) : `exit code ${code}`;
  };
  const ROOTS = ['--to-cell-root', '/vitess/{cell}'];

  test('goes from etcd to etcd2', async () => {
    const [global = '', nyc = '', sfo = ''] = etcds.map(({ endpoints }) => endpoints[0] ?? '');
    const whole = wholeEtcd({ nyc, sfo });
    await Promise.all([
      plantEtcd(whole.global, global),
      plantEtcd(whole.nyc, nyc),
      plantEtcd(whole.sfo, sfo),
    ]);
    const place = etcd2('of-etcd');
    const { scopes } = await copied(
      `etcd://${global.replace('http://', '')}/vt`,
      place('global'),
      '--to-cell-root',
      '/of-etcd/{cell}',
    );
    expect(await held(place)).toEqual(serving());
    expect(scopes[0]?.serving.map(({ path, serving: serves }) => [path, serves])).toEqual([
      ['keyspaces/main/shards/0/Shard', true],
      ['keyspaces/user/shards/-80/Shard', true],
      ['keyspaces/user/shards/80-/Shard', true],
    ]);
    const derived = scopes[1]?.derived.map(({ what }) => what) ?? [];
    expect([...new Set(derived)].sort()).toEqual(['EndPoints', 'SrvShard']);
  });

  test('goes from zookeeper to zk2 on the same servers and to etcd2, and back', async () => {
    const servers = zookeeper.servers;
    const planted = await plantZookeeper(WHOLE_ZOOKEEPER, servers);
    const from = `zookeeper:${await writeClientConfig(folder, planted)}`;
    const { scopes } = await copied(from, zk2('global'), ...ROOTS);
    expect(await held(zk2)).toEqual(serving());
    expect(scopes.flatMap(({ losses }) => losses)).toEqual([]);
    const place = etcd2('of-zookeeper');
    await copied(from, place('global'), '--to-cell-root', '/of-zookeeper/{cell}');
    expect(await held(place)).toEqual(serving());

    const file = `file:${join(folder, 'whole.topo')}`;
    const backup = (await cliJson(['backup', from, file])) as CopyJson;
    expect(backup.scopes[1]?.derived).toContainEqual(expect.objectContaining({ what: 'SrvShard' }));
    const restored = await cli([
      'restore',
      file,
      etcd2('restored')('global'),
      '--to-cell-root',
      '/restored/{cell}',
    ]);
    expect(restored).toMatchObject({ code: 0, err: expect.stringContaining('no is_primary_serving') });
    await planted.leave();

    await clearZookeeper(servers);
    await copied(zk2('global'), from);
    const whole = nodesOf(WHOLE_ZOOKEEPER).filter(({ path }) => !/\/ns\/[^/]+\/./.test(path));
    for (const { path, value } of whole) expect(await znode(path), path).toEqual(jsonIn(value));
  }, 60_000);

  test('of generation 1 stops at what would be lost, and comes over without it once that is accepted', async () => {
    const { servers } = zookeeper;
    await clearZookeeper(servers);
    const planted = await plantZookeeper(FIRST, servers);
    const from = `zookeeper:${await writeClientConfig(folder, planted)}`;
    await planted.leave();
    const to = `zk2://${servers}/of-first/global`;
    const roots = ['--to-cell-root', '/of-first/{cell}'];
    const refused = await cli(['copy', from, to, ...roots]);
    expect(refused.code).toBe(4);
    expect(refused.err).toMatch(/no place in the destination \(6 state, 7 parent, 1 health, 2 tablet-type\)/);
    expect(refused.err).toContain('--accept-loss state,parent,health,tablet-type');
    expect(await contents(to)).toEqual(new Map());
    const accepted = ['--accept-loss', 'state,parent', '--accept-loss', 'health,tablet-type'];
    const { verification, scopes } = await copied(from, to, ...roots, ...accepted);
    expect(verification.decision).toBe('accepted');
    expect(scopes.flatMap(({ losses }) => losses)).toHaveLength(16);
    expect((await cli(['verify', from, to])).code).toBe(1);
  });
});

/** What a znode means: its JSON, or its text. */
function jsonIn(value: Buffer | null | undefined): unknown {
  const text = value?.toString() ?? '';
  return /^[{[]/.test(text) ? JSON.parse(text) : text;
}
