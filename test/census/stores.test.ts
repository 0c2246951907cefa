import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configFolder } from '../cli/config-file.js';
import { cli } from '../support/cli.js';
import { alias, put } from './clusters.js';
import { OLD, OLD_ADDRESS, Scene } from './scene.js';
import { gateVars, type Triple, tabletVars, topoFlags } from './stand-ins.js';
import { checkCluster, said } from './told.js';

const scene = new Scene();

describe('primaries', () => {
  test('two tablets that each say so are a split brain', async () => {
    await scene.plant(scene.three());
    const [first, , third] = scene.sound();
    if (first === undefined || third === undefined) throw new Error('no stands');
    await scene.stands.serve([first, scene.tells(1, tabletVars(alias(101), 'primary', scene.store)), third]);
    const { code, out } = await cli(['check', 'cluster', scene.address('global')]);
    expect(code).toBe(1);
    expect(out).toContain(
      'stop two-primaries global:keyspaces/ks/shards/0/Shard: zone1-0000000100, zone1-0000000101 each say that they are the primary',
    );
    expect(out).toContain('something is wrong: 1 finding');
  });

  test('a shard whose record names another tablet than the live primary', async () => {
    await scene.plant(scene.three());
    await scene.stands.serve([
      scene.tells(0, tabletVars(alias(100), 'replica', scene.store)),
      scene.tells(1, tabletVars(alias(101), 'primary', scene.store)),
      ...scene.sound().slice(2),
    ]);
    expect(said(await scene.check(1))).toEqual([
      'primary-page zone1-0000000100 the Shard names zone1-0000000100, which says that it is REPLICA',
      'primary-elsewhere zone1-0000000101 zone1-0000000101 says that it is the primary, and the Shard names zone1-0000000100',
    ]);
  });

  test('a reparent that begins between the two looks is no finding', async () => {
    await scene.plant(scene.three());
    await scene.stands.serve([
      scene.tells(
        0,
        tabletVars(alias(100), 'primary', scene.store),
        tabletVars(alias(100), 'replica', scene.store),
      ),
      ...scene.sound().slice(1),
    ]);
    expect(said(await scene.check(0))).toEqual([]);
  });

  test('a reparent that is over at the second look is no finding', async () => {
    await scene.plant(scene.three());
    await scene.stands.serve([
      scene.tells(
        0,
        tabletVars(alias(100), 'replica', scene.store),
        tabletVars(alias(100), 'primary', scene.store),
      ),
      ...scene.sound().slice(1),
    ]);
    expect(said(await scene.check(0))).toEqual([]);
  });
});

describe('a process that one look does not see', () => {
  const flapping = async (...pages: object[]) => {
    await scene.plant(scene.three());
    const [first, , third] = scene.sound();
    if (first === undefined || third === undefined) throw new Error('no stands');
    await scene.stands.serve([first, scene.tells(1, ...pages), third]);
  };
  const silent = {};
  const primary = () => tabletVars(alias(101), 'primary', scene.store);

  test('is looked at once more: a second primary is not taken for one that went', async () => {
    await flapping(silent, primary());
    expect(said(await scene.check(1))).toEqual([
      'two-primaries zone1-0000000100, zone1-0000000101 each say that they are the primary',
    ]);
  });

  test('was not refuted by being silent: it is not known', async () => {
    await flapping(primary(), silent);
    expect(said(await scene.check(5))).toEqual([expect.stringContaining('process-silent zone1-0000000101')]);
  });

  test('and is seen by every other one, is not known', async () => {
    await flapping(silent, primary(), silent, primary());
    expect(said(await scene.check(5))).toEqual([expect.stringContaining('process-silent zone1-0000000101')]);
  });

  test('is not told of when the next two see nothing wrong', async () => {
    await flapping(silent, tabletVars(alias(101), 'replica', scene.store));
    expect(said(await scene.check(0))).toEqual([]);
  });
});

describe('stores', () => {
  test('who still uses the old store, who another, and whose port was taken over', async () => {
    await scene.plant([...scene.three(), { uid: 103, type: 'RDONLY', port: scene.port(3) }]);
    const other: Triple = { ...OLD, root: '/vitess/test/global' };
    await scene.stands.serve([
      scene.tells(0, tabletVars(alias(100), 'primary', OLD)),
      scene.tells(1, tabletVars(alias(101), 'replica', other)),
      scene.tells(2, tabletVars(alias(777), 'replica', scene.store)),
      scene.tells(3, gateVars(scene.store)),
    ]);
    const told = await scene.check(1, '--old', OLD_ADDRESS);
    expect(said(told)).toEqual([
      'store-old zone1-0000000100 it uses the old store, zk2 zk1:2181,zk2:2181 /vitess/global',
      'store-other zone1-0000000101 it uses zk2 zk1:2181,zk2:2181 /vitess/test/global',
      `wrong-process zone1-0000000102 on 127.0.0.1:${scene.port(2)} answers zone1-0000000777`,
      `wrong-process zone1-0000000103 on 127.0.0.1:${scene.port(3)} answers a vtgate`,
    ]);
    expect(told.counts.stores).toEqual({ expected: 2, old: 1, other: 1, unknown: 0 });
    const spelt = await scene.check(1, '--expect', 'zk2://zk1:2181/vitess/global');
    expect(said(spelt).map((line) => line.split(' ')[0])).toEqual([
      'store-other',
      'wrong-process',
      'wrong-process',
    ]);
  });
});

test('after a cutover the source of the migration file is the old store', async () => {
  await scene.plant(scene.three());
  await scene.stands.serve([
    scene.tells(0, tabletVars(alias(100), 'primary', OLD)),
    ...scene.sound().slice(1),
  ]);
  const config = await configFolder();
  try {
    const file = await config.write(
      'topo2topo.yaml',
      `from: ${OLD_ADDRESS}\nto: ${scene.address('global')}\n`,
    );
    const args = ['check', 'cluster', '--config', file, '--side', 'to'];
    const { code, out } = await cli(args);
    expect(code).toBe(1);
    expect(out).toContain('stop store-old zone1-0000000100 zone1: it uses the old store');
    expect(said(await checkCluster(scene.address('global'), 1))).toEqual([
      expect.stringMatching(/^store-other/),
    ]);
  } finally {
    await config.remove();
  }
});

describe('gates', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-gates-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('one that sees no primary, one whose readings fail, one that does not tell, and a vtctld', async () => {
    await scene.plant(scene.three());
    const failing = (ListTablets: number) =>
      gateVars(scene.store, { TopologyWatcherErrors: { GetTablet: 1, ListTablets } });
    const blind = { HealthcheckConnections: { 'ks.0.replica': 2 } };
    await put(scene.address, 'global', 'cells_aliases/region1/CellsAlias', 'topodata.CellsAlias', {
      cells: ['zone1'],
    });
    await scene.stands.serve([
      ...scene.sound(),
      scene.tells(3, gateVars(scene.store, blind, ['-cells_to_watch', 'zone9,region1'])),
      scene.tells(4, failing(4), failing(7)),
      scene.tells(5, gateVars(scene.store, { HealthcheckConnections: undefined })),
      scene.tells(6, { cmdline: ['vtctld', ...topoFlags(OLD)], memstats: {} }),
      scene.tells(7, gateVars(scene.store, blind, ['--cells_to_watch', 'zone9'])),
    ]);
    const file = join(folder, 'gates.txt');
    const list = [3, 4, 5, 6, 7].map((index) => `127.0.0.1:${scene.port(index)}`);
    await writeFile(file, `# gates\n${list.join(' # zone1\n')}\n\n`);
    const told = await scene.check(1, '--gates', file, '--old', OLD_ADDRESS);
    expect(said(told)).toEqual([
      `store-old 127.0.0.1:${scene.port(6)} it uses the old store, zk2 zk1:2181,zk2:2181 /vitess/global`,
      `gate-blind 127.0.0.1:${scene.port(3)} it sees no serving primary of ks/0`,
      `gate-errors 127.0.0.1:${scene.port(4)} between two looks failed: ListTablets 3 times`,
      `gate-not-told 127.0.0.1:${scene.port(5)} its page has no HealthcheckConnections`,
    ]);
    expect(told.processes.at(-2)).toMatchObject({ class: 'vtctld', from: 'listed', verdict: 'old' });
  });

  test('a list that is none is refused', async () => {
    await scene.plant([]);
    const refused = async (gates: string) => {
      const { code, err } = await cli(['check', 'cluster', scene.address('global'), '--gates', gates]);
      return `${code} ${err.split('\n')[0]}`;
    };
    const file = join(folder, 'gates.txt');
    expect(await refused(join(folder, 'none'))).toMatch(/^2 .*cannot be read/);
    expect(await refused('gate1:15001,gate2')).toMatch(/^2 .*gate2 in --gates is not host:port/);
    expect(await refused('gate1:70000')).toMatch(/^2 .*gate1:70000 in --gates is not host:port/);
    await writeFile(file, '# none yet\n');
    expect(await refused(file)).toMatch(/^2 .*names no process/);
    await writeFile(file, 'http://gate1:15001/\n');
    expect(await refused(file)).toMatch(/^2 .*is not host:port/);
  });
});
