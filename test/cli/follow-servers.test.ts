import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newPlaces } from '../copy/faults/places.js';
import { equal, plantSample } from '../copy/followers.js';
import { PRODUCTS, type Server } from '../support/products.js';
import { withStore } from '../support/topologies.js';
import { until } from '../support/until.js';
import { followArgs, startFollow } from './following.js';

const LIMIT_MS = 120_000;
const TOOL = fileURLToPath(new URL('./tool-process.ts', import.meta.url));

describe.each([
  ['zk2', 'etcd2'],
  ['consul', 'etcd2'],
  ['etcd2', 'zk2'],
] as const)('topo2topo follow from %s to %s', (from, to) => {
  const products = [from, to].map((name) => PRODUCTS.find(({ implementation }) => implementation === name));
  const isAvailable = products.every((product) => product?.available === true);
  const servers: Server[] = [];

  beforeAll(async () => {
    if (isAvailable)
      servers.push(...(await Promise.all(products.flatMap((product) => product?.start() ?? []))));
  }, LIMIT_MS);
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  const placesOnServers = () => {
    const [a, b] = servers;
    if (a === undefined || b === undefined) throw new Error('no servers');
    return newPlaces(
      { implementation: from, servers: a.servers },
      { implementation: to, servers: b.servers },
    );
  };

  test.runIf(isAvailable)(
    'ends well when its process is asked to, and answers no more',
    { timeout: LIMIT_MS },
    async () => {
      const places = placesOnServers();
      await plantSample(places);
      const args = ['follow', ...followArgs(places), '--listen', '0', '--output', 'json'];
      const child = spawn(process.execPath, ['--import', 'tsx', TOOL, ...args], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      try {
        const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
        const events: { type?: string; url?: string; phase?: string }[] = [];
        createInterface(child.stdout).on('line', (line) => void events.push(JSON.parse(line)));
        await until('following', () => events.some(({ phase }) => phase === 'following'), 60_000);
        const url = `${events.find((event) => event.url !== undefined)?.url}/healthz`;
        expect((await fetch(url)).status).toBe(200);
        child.kill('SIGTERM');
        expect(await ended).toBe(0);
        expect(events.at(-1)).toMatchObject({ type: 'end', waiting: 0, passes: 1 });
        await expect(fetch(url)).rejects.toThrow();
      } finally {
        child.kill('SIGKILL');
      }
    },
  );

  test.runIf(isAvailable)(
    'brings over what changes and counts it, is well, and stops at a foreign write',
    { timeout: LIMIT_MS },
    async () => {
      const places = placesOnServers();
      await plantSample(places);
      const running = startFollow(places, ['--linger', '1h', '--pass-every', '2s']);
      await running.following();
      expect(await equal(places)).toBe(true);

      const update = 'topo2topo_follow_records_written_total{cell="zone1",kind="SrvVSchema",action="update"}';
      const before = (await running.metrics())[update] ?? 0;
      await withStore(places.source('zone1'), (store) => store.update('SrvVSchema', Buffer.from(''), null));
      await withStore(places.source('global'), (store) => store.delete('metadata/owner', null));
      await until('the changes', () => equal(places), 30_000);
      await until(
        'no lag',
        async () => (await running.metrics())['topo2topo_follow_lag_seconds'] === 0,
        30_000,
      );
      const metrics = await running.metrics();
      expect(metrics[update]).toBe(before + 1);
      expect(
        Object.entries(metrics).filter(([name]) => name.includes('cell="global"') && name.includes('delete')),
      ).toMatchObject([[expect.any(String), 1]]);
      await until('a second pass', async () => {
        const { topo2topo_follow_pass_duration_seconds_count: passes = 0 } = await running.metrics();
        return passes > 1;
      });
      expect(await running.health()).toMatchObject({ status: 200, body: { healthy: true } });

      await withStore(places.destination('global'), (store) =>
        store.update('custom/dashboard.bin', Buffer.from('theirs'), null),
      );
      await until('unwell', async () => (await running.health()).status === 503, 30_000);
      expect((await running.health()).body).toMatchObject({
        phase: 'stopped',
        why: [{ reason: 'stopped', code: 'Guard' }],
      });
      expect(await running.metrics()).toMatchObject({
        topo2topo_follow_foreign_writes_total: 1,
        topo2topo_follow_guard_stops_total: 1,
      });
      running.stop();
      expect(await running.done).toMatchObject({
        code: 4,
        err: expect.stringContaining('custom/dashboard.bin'),
      });
    },
  );
});
