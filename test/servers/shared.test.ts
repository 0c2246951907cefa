import { afterAll, describe, expect, test } from 'vitest';
import { fillDisk } from '../failures/disk.js';
import { available, type Cluster, SharedCluster, startEtcd } from './index.js';

describe.runIf(available.etcd('3.5'))('a cluster that cases share', () => {
  const shared = new SharedCluster(() => startEtcd({ version: '3.5' }));
  afterAll(() => shared.stop());
  const failed = (limitMs: number, work: (cluster: Cluster) => Promise<void>): Promise<string> =>
    shared.use(limitMs, work).then(
      () => 'nothing failed',
      (error: unknown) => String(error),
    );

  test('stays while they go well, and is followed by a new one when one fails', async () => {
    const first = await shared.get();
    expect(await shared.use(1_000, async (cluster) => cluster.servers)).toBe(first.servers);
    expect(await shared.get()).toBe(first);
    const pid = first.member.pid();

    const error = await failed(10_000, async (cluster) => {
      await fillDisk(cluster.member);
      cluster.freeze();
      throw new Error('the case');
    });
    expect(error).toContain('Error: the case\n');
    expect(error).toContain(`at ${first.servers}: process ${pid} stopped by a signal`);
    expect(error).toContain('may write files of 1 bytes');
    expect(error).toMatch(/^ {2}\| .*etcd/m);
    expect(first.member.pid()).toBeUndefined();
    expect((await shared.get()).member.pid()).not.toBe(pid);
  });

  test('is told of with what its members say, also when a case does not end', async () => {
    const error = await failed(100, () => new Promise(() => {}));
    expect(error).toContain('no end after 100 ms\n');
    expect(error).toMatch(/process \d+ runs, \d+ threads\n/);
    expect(error).toContain('etcd_server_is_leader 1');

    const ended = await failed(10_000, async (cluster) => {
      await cluster.kill();
      throw new Error('the case');
    });
    expect(ended).toContain('exit SIGKILL\n  down\n');
  });
});
