import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { type Planted, plantZookeeper, writeClientConfig } from '../legacy/plant.js';
import { WHOLE_ZOOKEEPER } from '../legacy/samples/whole.js';
import { available, fourLetterWord, startZooKeeper } from '../servers/index.js';
import { cli } from '../support/cli.js';
import { eventually } from '../zookeeper/support.js';

const runs = available.zookeeper('3.4') && available.zookeeper('3.8');

describe.runIf(runs)('zk by a client configuration, of two ensembles', () => {
  let servers: Awaited<ReturnType<typeof startZooKeeper>>[];
  let planted: Planted;
  let folder: string;
  let file: string;
  let sfo: ZooKeeperClient;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    servers = await Promise.all([startZooKeeper({ version: '3.8' }), startZooKeeper({ version: '3.4' })]);
    const [first = '', second = ''] = servers.map((server) => server.servers);
    planted = await plantZookeeper(WHOLE_ZOOKEEPER, { global: first, nyc: first, sfo: second });
    file = await writeClientConfig(folder, planted);
    sfo = await connectOwnClient({ servers: second.split(',') });
  });
  afterAll(async () => {
    await sfo?.close();
    await planted?.leave();
    await Promise.all((servers ?? []).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const env = () => ({ ZK_CLIENT_CONFIG: file, ZK_CLIENT_LOCAL_CELL: 'sfo' });
  const zk = (...line: string[]) => cli(['zk', ...line], env());
  const sizeOf = (uid: string) => tablet(`/zk/sfo/vt/tablets/${uid}`).length;
  const tablet = (path: string) => JSON.stringify(WHOLE_ZOOKEEPER[path], null, 2);

  test('each cell is on its servers, and all of them are below /zk', async () => {
    expect((await zk('ls', '/zk')).out).toBe('global\nnyc\nsfo\n');
    expect((await zk('ls', '/zk/nyc/vt/tablets')).out.split('\n')).toContain('0000000100');
    const path = '/zk/sfo/vt/tablets/0000000200';
    expect((await zk('cat', path)).bytes.toString()).toBe(tablet(path));
    expect((await zk('ls', '-d', '/zk/*/vt/ns/main')).out).toBe('main\nmain\n');
    expect((await zk('ls', '-R', '/zk')).out.split('\n').filter((line) => line.endsWith('/vschema'))).toEqual(
      [
        '/zk/global/vt/keyspaces/main/vschema',
        '/zk/global/vt/keyspaces/user/vschema',
        '/zk/nyc/vt/vschema',
        '/zk/sfo/vt/vschema',
      ],
    );
    const word = ['zk', '-server', `zookeeper:${file}`, 'cat', path];
    expect((await cli(word, { ZK_SERVER: 'localhost:1' })).bytes.toString()).toBe(tablet(path));
  });

  test('/zk/local is the local cell, with the columns and words of the old tool', async () => {
    const path = '/zk/local/vt/tablets';
    expect((await zk('ls', '-l', path)).out.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')).toBe(
      [
        'total: 4',
        ...['0000000200', '0000000210', '0000000220', '0000000221'].map(
          (uid) => `nrw-rw-rw- zk zk ${` ${sizeOf(uid)}`.padStart(8)}  TIME ${uid}`,
        ),
        '',
      ].join('\n'),
    );
    expect((await zk('stat', `${path}/0000000220`)).out).toMatch(
      /^Path: \/zk\/sfo\/vt\/tablets\/0000000220\nCreated: .*\nSize: 307\nChildren: 2\nVersion: 0\nEphemeral: 0\nACL:\n world:anyone rwdca\n$/s,
    );
  });

  test('what is made and removed is on the servers of its cell', async () => {
    expect(await zk('touch', '-p', '/zk/sfo/new/deep/one')).toMatchObject({ code: 0, out: '', err: '' });
    expect((await sfo.exists('/zk/sfo/new/deep/one')).stat).toBeDefined();
    const copy = join(folder, 'tablet.json');
    expect((await zk('cp', '/zk/nyc/vt/tablets/0000000100', '/zk/local/new/')).code).toBe(0);
    expect((await zk('cp', 'zk:/zk/local/new/0000000100', copy)).code).toBe(0);
    expect(await readFile(copy, 'utf8')).toBe(tablet('/zk/nyc/vt/tablets/0000000100'));
    expect(await zk('rm', '-r', '/zk/sfo/new')).toMatchObject({ code: 0, err: '' });
    expect((await sfo.exists('/zk/sfo/new')).stat).toBeUndefined();
    expect(await zk('rm', '-r', '/zk/local/vt')).toMatchObject({
      code: 4,
      err: expect.stringContaining('/zk/sfo/vt'),
    });
  });

  test('watch and wait', async () => {
    const path = '/zk/sfo/vt/replication/main/0';
    const watches = async () =>
      Number(/zk_watch_count\s+(\d+)/.exec(await fourLetterWord(servers[1]?.servers ?? '', 'mntr'))?.[1]);
    const before = await watches();
    const stop = new AbortController();
    const waiting = zk('wait', '/zk/local/vt/replication/main/0');
    const watching = cli(['zk', 'watch', path], env(), {
      signal: stop.signal,
      onOut: (text) => text.startsWith('event') && stop.abort(),
    });
    await eventually(async () => (await watches()) > before + 1);
    await sfo.setData(path, Buffer.from('{}'), -1);
    expect(await waiting).toMatchObject({ code: 0, out: `event: EventNodeDataChanged ${path}\n` });
    expect(await watching).toMatchObject({
      code: 0,
      out: expect.stringContaining(`event: EventNodeDataChanged ${path}`),
    });
  });

  test.each<[line: string[], more: Record<string, string>, message: RegExp]>([
    [['cat', '/zk/lon/vt'], {}, /zk_client\.json has no cell lon.*\n.*global, nyc, sfo/],
    [['ls', '/vitess'], {}, /\/vitess is below no cell.*\n.*-server/],
    [
      ['ls', '/zk/local/vt'],
      { ZK_CLIENT_LOCAL_CELL: 'lon' },
      /\/zk\/local is the cell lon.*\n.*one of nyc, sfo/,
    ],
    [
      ['ls', '/zk'],
      { ZK_CLIENT_CONFIG: '/nowhere/zk.json' },
      /ZK_CLIENT_CONFIG names: the file \/nowhere\/zk\.json/,
    ],
    [['-server', 'zookeeper://localhost:1', 'ls', '/zk'], {}, /-server takes HOST:PORT or zookeeper:FILE/],
  ])('%j with %j is refused', async (line, more, message) => {
    const { code, out, err } = await cli(['zk', ...line], { ...env(), ...more });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});
