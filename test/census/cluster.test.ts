import { describe, expect, test } from 'vitest';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';
import { alias, put, tabletJson } from './clusters.js';
import { Scene } from './scene.js';
import { gateVars, oldStatus, tabletVars, topoFlags } from './stand-ins.js';
import { said } from './told.js';

const scene = new Scene();

test('a sound cluster is as its records say, and nothing is written', async () => {
  await scene.plant(scene.three());
  await scene.stands.serve([...scene.sound(), scene.tells(3, gateVars(scene.store))]);
  const before = await Promise.all(['global', 'zone1'].map((scope) => contents(scene.address(scope))));
  const args = ['check', 'cluster', scene.address('global'), '--gates', `127.0.0.1:${scene.port(3)}`];
  const { code, out, err } = await cli(args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/3 tablet records in 1 cell, 4 processes asked\n/);
  expect(out).toMatch(/vttablet +zone1 +3\n/);
  expect(out).toMatch(/vtgate +zone1 +1\n/);
  expect(out).toMatch(
    new RegExp(`zone1-0000000100 +PRIMARY +127.0.0.1:${scene.port(0)} +21.0.5 +memory .* expected`),
  );
  expect(out).toContain('the cluster is as its records say');
  expect(out).not.toContain('s3cret');
  expect(await Promise.all(['global', 'zone1'].map((scope) => contents(scene.address(scope))))).toEqual(
    before,
  );
});

describe('processes that do not tell', () => {
  test('are named with the reason, and nothing is guessed of them', async () => {
    await scene.plant([
      ...scene.three(),
      ...[103, 104, 105, 106].map((uid, index) => ({ uid, type: 'RDONLY', port: scene.port(3 + index) })),
    ]);
    await scene.stands.serve([
      ...scene.sound().slice(0, 1),
      { port: scene.port(1), does: 'hang' },
      { port: scene.port(2), does: 'garbage' },
      { port: scene.port(5), does: 'drip' },
      { port: scene.port(6), does: 'noise' },
    ]);
    const begun = Date.now();
    const told = await scene.check(5, '--page-timeout', '1500ms');
    expect(Date.now() - begun).toBeLessThan(10_000);
    expect(said(told).toSorted()).toEqual([
      expect.stringMatching(/^process-silent zone1-0000000101 127.* no answer within 1500 ms$/),
      expect.stringMatching(/^process-silent zone1-0000000102 127.* its \/debug\/vars is not JSON$/),
      expect.stringMatching(/^process-silent zone1-0000000103 127.* nobody listens on its port$/),
      expect.stringMatching(/^process-silent zone1-0000000104 127.* nobody listens on its port$/),
      expect.stringMatching(/^process-silent zone1-0000000105 127.* no answer within 1500 ms$/),
      expect.stringMatching(/^process-silent zone1-0000000106 127.* it does not speak HTTP$/),
    ]);
    expect(told).toMatchObject({ healthy: true, conclusive: false, counts: { processes: 7, silent: 6 } });
    expect(told.counts.stores).toEqual({ expected: 1, old: 0, other: 0, unknown: 6 });
  });

  test('a redirection is not followed, a refusal is one, and of a page of 50 MB no more is read than can be one', async () => {
    await scene.plant([...scene.three(), { uid: 103, type: 'RDONLY', port: scene.port(4) }]);
    await scene.stands.serve([
      ...scene.sound().slice(0, 1),
      { port: scene.port(4), does: 'huge' },
      scene.tells(3, tabletVars(alias(101), 'replica', scene.store)),
      { port: scene.port(1), does: 'redirect', to: `http://127.0.0.1:${scene.port(3)}/debug/vars` },
      { port: scene.port(2), does: 'forbid' },
    ]);
    expect(said(await scene.check(5))).toEqual([
      expect.stringContaining(
        `101 127.0.0.1:${scene.port(1)} does not tell: its /debug/vars answers with HTTP status 302`,
      ),
      expect.stringContaining('its /debug/vars answers with HTTP status 403'),
      expect.stringMatching(/zone1-0000000103 127.* the answer is too long$/),
    ]);
  });

  test('a page without the tablet’s variables is helped by /debug/status, and else says less', async () => {
    await scene.plant(scene.three());
    const bare = (uid: number, flags: readonly string[] = []) => ({
      cmdline: ['vttablet', ...topoFlags(scene.store), '-tablet-path', `zone1-${uid}`, ...flags],
      memstats: {},
    });
    await scene.stands.serve([
      {
        ...scene.tells(0, bare(100)),
        does: 'tell',
        vars: [bare(100)],
        status: oldStatus(alias(100), 'MASTER'),
      },
      scene.tells(1, bare(101)),
      scene.tells(2, { ...bare(102), cmdline: ['vttablet', '--config-file', 'vitess.yaml'] }),
    ]);
    const told = await scene.check(5);
    expect(said(told)).toEqual([
      'not-told zone1-0000000101 its page does not say its type',
      'not-told zone1-0000000102 its page does not say its alias, type',
      'store-unknown zone1-0000000102 its command line names no store',
    ]);
    expect(told.processes[0]).toMatchObject({ type: 'PRIMARY', verdict: 'expected' });
  });
});

test('records that do not agree are told beside the processes', async () => {
  await scene.plant(scene.three());
  await scene.stands.serve(scene.sound());
  const write = (scope: string, path: string, message: string, json: Parameters<typeof put>[4]) =>
    put(scene.address, scope, path, `topodata.${message}`, json);
  const blank = { alias: { cell: 'zone1', uid: 102 }, keyspace: 'ks', shard: '0', type: 'REPLICA' };
  await write('zone1', `tablets/${alias(102)}/Tablet`, 'Tablet', blank);
  const late = { primary_term_start_time: { seconds: '1780000000', nanoseconds: 5 } };
  await write(
    'zone1',
    `tablets/${alias(100)}/Tablet`,
    'Tablet',
    tabletJson({ uid: 100, type: 'PRIMARY', port: scene.port(0), more: late }),
  );
  await write(
    'zone1',
    `tablets/${alias(101)}/Tablet`,
    'Tablet',
    tabletJson({ uid: 101, type: 'RDONLY', port: scene.port(1) }),
  );
  await write('zone1', 'keyspaces/ks/shards/0/ShardReplication', 'ShardReplication', {
    nodes: [100, 102, 999].map((uid) => ({ tablet_alias: { cell: 'zone1', uid } })),
  });
  await write('zone1', 'keyspaces/ks/SrvKeyspace', 'SrvKeyspace', {});
  const told = await scene.check(1);
  expect(said(told)).toEqual([
    'primary-term its term began 2026-05-28T20:26:40.000000000Z, that of zone1-0000000100 2026-05-28T20:26:40.000000005Z',
    'not-in-replication it is not in the ShardReplication of ks/0 in zone1',
    'graph-stale a rebuild would change it',
    'type-differs zone1-0000000101 it says that it is REPLICA, its record RDONLY',
    'tablet-blank zone1-0000000102 it has neither host nor ports',
    'replication-stray it names what is no tablet of the shard: zone1-0000000999',
  ]);
  expect(told.findings[1]).toMatchObject({ scope: 'zone1', path: `tablets/${alias(101)}/Tablet` });
});

test('an interrupt ends it while a process hangs', async () => {
  await scene.plant(scene.three());
  await scene.stands.serve([0, 1, 2].map((index) => ({ port: scene.port(index), does: 'hang' as const })));
  const args = ['check', 'cluster', scene.address('global'), '--page-timeout', '60s'];
  const begun = Date.now();
  const { code, err } = await cli(args, {}, { signal: AbortSignal.timeout(1_500) });
  expect(code).toBe(5);
  expect(err).toContain('error interrupted');
  expect(Date.now() - begun).toBeLessThan(20_000);
});

test('what it cannot make sense of is refused before anything is asked', async () => {
  await scene.plant(scene.three());
  const refused = async (...more: string[]) => {
    const { code, err } = await cli(['check', 'cluster', scene.address('global'), ...more]);
    return `${code} ${err.split('\n')[0]}`;
  };
  expect(await refused('--old', 'zk1/vitess')).toMatch(/^2 .*has no scheme/);
  expect(await refused('--expect', 'etcd3://e1/x')).toMatch(/^2 .*unknown topology implementation/);
  expect(await refused('--cells', 'zone7')).toMatch(/^2 .*the topology has no cell zone7/);
  expect(await refused('--sample', 'soon')).toMatch(/^2 .*--sample is no duration/);
  expect(await refused('--page-timeout', '0')).toMatch(/^2 .*--page-timeout is no duration/);
  expect(await refused('--concurrency', '0')).toMatch(/^2 .*--concurrency must be/);
  expect(await refused('--target-version', '99')).toMatch(/^2 .*no version of Vitess/);
  expect(await refused('--page-tls-ca', '/nowhere/ca.pem')).toMatch(/^2 .*cannot be read/);
});

test('a check of nothing is not a sound cluster', async () => {
  await scene.plant([]);
  await put(scene.address, 'global', 'keyspaces/ks/shards/0/Shard', 'topodata.Shard', {});
  await cli(['graph', 'rebuild', scene.address('global')]);
  await scene.stands.serve([scene.tells(3, gateVars(scene.store))]);
  const nobody = 'nobody-asked no Tablet record names a process that can be asked';
  expect(said(await scene.check(5))).toEqual([nobody]);
  expect(said(await scene.check(5, '--gates', `127.0.0.1:${scene.port(3)}`))).toEqual([nobody]);
});
