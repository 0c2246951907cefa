import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import type { ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import {
  available,
  fourLetterWord,
  freePorts,
  startZooKeeper,
  ZOOKEEPER_VERSIONS,
} from '../servers/index.js';
import { type CliResult, cli } from '../support/cli.js';
import { scriptWaits } from '../support/script-waits.js';
import { withStore } from '../support/topologies.js';
import { eventually, OPEN } from '../zookeeper/support.js';

const LIMIT_MS = 180_000;
const bytes = (text: string) => Buffer.from(text);

for (const version of ZOOKEEPER_VERSIONS) {
  describe.runIf(available.zookeeper(version))(`zk, on ZooKeeper ${version}`, () => {
    let server: Awaited<ReturnType<typeof startZooKeeper>>;
    let client: ZooKeeperClient;
    let folder: string;
    const zk = (...line: string[]) => cli(['zk', '-server', server.servers, ...line]);
    const make = (path: string, data: string | null = null, mode: 0 | 1 = 0) =>
      client.create({ path, data: data === null ? null : bytes(data), acl: OPEN, mode });
    const paths = async (top: string): Promise<string[]> => {
      const { out } = await zk('ls', '-R', top);
      return out.split('\n').filter((line) => line !== '');
    };
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'zk-test-'));
      server = await startZooKeeper({ version });
      client = await connectOwnClient({
        servers: server.servers.split(','),
        auth: [{ scheme: 'digest', auth: 'vt:secret-word' }],
      });
      await make('/zk');
      await make('/zk/dir');
      await make('/zk/dir/a', 'one\n');
      await make('/zk/dir/b', 'two');
      await make('/zk/dir/b/below', '');
      await make('/zk/dir/c', 'x', 1);
    }, LIMIT_MS);
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await client?.close();
      await server?.stop();
    });

    describe('ls', () => {
      test('takes the flags of Vitess’s log that scripts carry along', async () => {
        const line = ['-logtostderr', '-v', '2', '-server', server.servers, '-stderrthreshold=INFO'];
        expect(await cli(['zk', ...line, 'ls', '-d', '/zk/dir'])).toMatchObject({ code: 0, out: 'dir\n' });
      });

      test('lists children, or a znode without any', async () => {
        expect(await zk('ls', '/zk/dir/')).toMatchObject({ code: 0, out: 'a\nb\nc\n', err: '' });
        expect((await zk('ls', '/zk/dir/a')).out).toBe('a\n');
        expect((await zk('ls', '-d', '/zk/dir')).out).toBe('dir\n');
        expect((await zk('ls', '-d', '/')).out).toBe('/\n');
      });

      test('-l has the columns of the old tool', async () => {
        const { out } = await zk('ls', '-l', '/zk/dir');
        expect(out.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')).toBe(
          [
            'total: 3',
            '-rw-rw-rw- zk zk        4  TIME a',
            'nrw-rw-rw- zk zk        3  TIME b',
            'erw-rw-rw- zk zk        1  TIME c',
            '',
          ].join('\n'),
        );
        expect((await zk('ls', '-ld', '/zk/dir')).out).toMatch(/^drwxrwxrwx zk zk {8}0 .* \/zk\/dir\n$/);
      });

      test('-R shows everything below, by whole paths', async () => {
        expect(await paths('/zk')).toEqual([
          '/zk/dir',
          '/zk/dir/a',
          '/zk/dir/b',
          '/zk/dir/b/below',
          '/zk/dir/c',
        ]);
        expect((await zk('ls', '-lR', '/zk/dir/b')).out).toMatch(
          /total: 1\n-rw-rw-rw- zk zk {8}0 .* \/zk\/dir\/b\/below/,
        );
      });

      test('several paths have heads, and what is wrong with one does not hide the others', async () => {
        expect((await zk('ls', '/zk/dir', '/zk')).out).toBe('/zk/dir:\na\nb\nc\n\n/zk:\ndir\n\n');
        const some = await zk('ls', '/zk/none', '/zk');
        expect(some).toMatchObject({ code: 3, out: '/zk:\ndir\n\n' });
        expect(some.err).toMatch(/ls: there is no such znode \(path \/zk\/none/);
        expect(await zk('ls', '-f', '/zk/none', '/zk')).toMatchObject({ code: 0, err: '' });
      });
    });

    test('cat gives bytes as they are, with wildcards, and with heads', async () => {
      expect((await zk('cat', '/zk/dir/b')).bytes.toString()).toBe('two');
      expect((await zk('cat', '/zk/*/[ab]')).bytes.toString()).toBe('one\ntwo');
      const heads = await zk('cat', '-l', '/zk/dir/?');
      expect(heads.out).toBe('/zk/dir/a:\n/zk/dir/b:\n/zk/dir/c:\n');
      expect(heads.bytes.toString()).toBe('one\ntwo\nx\n');
      expect(await zk('cat', '/zk/none*')).toMatchObject({ code: 0, out: '', err: '' });
      expect(await zk('cat', '/zk/none')).toMatchObject({ code: 3 });
      expect(await zk('cat', '-f', '/zk/none')).toMatchObject({ code: 0, err: '' });
      expect(await zk('cat', '-p', '/zk/dir/a')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/topo2topo cat/),
      });
    });

    test('stat shows what the server says, and no hash of a password', async () => {
      await client.create({
        path: '/zk/owned',
        data: bytes('x'),
        acl: [
          { perms: 31, scheme: 'auth', id: '' },
          { perms: 1, scheme: 'world', id: 'anyone' },
        ],
      });
      const { out } = await zk('stat', '/zk/owned');
      expect(out.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}000/g, 'TIME').split('\nACL:')[0]).toBe(
        'Path: /zk/owned\nCreated: TIME\nModified: TIME\nSize: 1\nChildren: 0\nVersion: 0\nEphemeral: 0',
      );
      expect(out).toContain('\n digest:vt rwdca\n');
      expect(out).toContain('\n world:anyone r----\n');
      await client.delete('/zk/owned', -1);
    });

    test('touch makes a znode, or writes its data anew', async () => {
      expect(await zk('touch', '/zk/new/deep/one')).toMatchObject({ code: 3 });
      expect(await zk('touch', '-c', '/zk/new')).toMatchObject({ code: 3 });
      expect(await zk('touch', '-p', '/zk/new/deep/one')).toMatchObject({ code: 0, out: '', err: '' });
      expect((await client.getData('/zk/new/deep/one')).data).toBeNull();
      expect(await zk('touch', '/zk/dir/a')).toMatchObject({ code: 0 });
      const { data, stat } = await client.getData('/zk/dir/a');
      expect([data, stat.version]).toEqual([bytes('one\n'), 1]);
    });

    describe('rm', () => {
      test('removes one znode, and a tree with -r', async () => {
        for (const path of ['/zk/t', '/zk/t/a', '/zk/t/a/b', '/zk/t/a/b/c', '/zk/t/d']) await make(path, 'x');
        expect(await zk('rm', '/zk/t/a')).toMatchObject({ code: 3, err: expect.stringMatching(/rm -r/) });
        expect(await zk('rm', '/zk/t/d')).toMatchObject({ code: 0, err: '' });
        expect(await zk('rm', '-r', '/zk/t/*')).toMatchObject({ code: 0, err: '' });
        expect(await paths('/zk/t')).toEqual([]);
        expect(await zk('rm', '/zk/t/none')).toMatchObject({ code: 3 });
        expect(await zk('rm', '-f', '/zk/t/none')).toMatchObject({ code: 0, err: '' });
        expect(await zk('rm', '-rf', '/zk/t', '/zk/none/x')).toMatchObject({ code: 0, err: '' });
        expect(await client.exists('/zk/t')).toMatchObject({ stat: undefined });
      });

      test('never removes / nor what is too general, not even by wildcard', async () => {
        for (const line of [
          ['-r', '/'],
          ['-r', '/zk'],
          ['-rf', '/zk/'],
          ['/'],
          ['-r', '/zk/..', '/zk/dir/a'],
          ['-r', '/*'],
        ]) {
          const refused = await zk('rm', ...line, '--yes');
          expect(refused, line.join(' ')).toMatchObject({ code: 2 });
        }
        expect(await paths('/zk/dir')).toHaveLength(4);
      });

      test('a topology of Vitess goes only with --yes, and nothing goes before that is known', async () => {
        await make('/zk/tree', 'x');
        for (const scope of ['global', 'zone1'])
          await withStore(`zk2://${server.servers}/vitess/${scope}`, async (store) => {
            for (const record of sampleTopology('zookeeper:x').filter((each) => each.scope === scope))
              await store.create(record.path, record.bytes);
          });
        for (const path of [
          '/vitess/global',
          '/vitess/*',
          '/vitess/global/keyspaces',
          '/vitess/zone1/tablets',
        ]) {
          const before = await paths('/vitess');
          const refused = await zk('rm', '-r', '/zk/tree', path);
          expect(refused, path).toMatchObject({
            code: 4,
            err: expect.stringMatching(/znodes would be removed[\s\S]*--yes/),
          });
          expect(await paths('/vitess')).toEqual(before);
          expect((await client.exists('/zk/tree')).stat).toBeDefined();
        }
        expect(await zk('rm', '-r', '/vitess/global/keyspaces/commerce')).toMatchObject({ code: 0 });
        expect(await zk('rm', '-r', '--yes', '/vitess/global', '/vitess/zone1')).toMatchObject({
          code: 0,
          err: '',
        });
        expect(await paths('/vitess')).toEqual([]);
      });
    });

    test('cp goes between znodes and files, and into directories', async () => {
      const file = join(folder, 'a');
      expect(await zk('cp', '/zk/dir/a', folder)).toMatchObject({ code: 0, err: '' });
      expect(readFileSync(file, 'utf8')).toBe('one\n');
      writeFileSync(file, Buffer.from([0, 255, 10]));
      expect(await zk('cp', file, 'zk:/other/deep/')).toMatchObject({ code: 0, err: '' });
      expect((await client.getData('/other/deep/a')).data).toEqual(Buffer.from([0, 255, 10]));
      expect(await zk('cp', '/zk/dir/b', 'zk:/other/deep/a')).toMatchObject({ code: 0 });
      expect((await client.getData('/other/deep/a')).data).toEqual(bytes('two'));
      expect(await zk('cp', '/zk/dir/a', '/zk/dir/b', folder)).toMatchObject({ code: 0 });
      expect(readFileSync(join(folder, 'b'), 'utf8')).toBe('two');
      expect(await zk('cp', file, folder)).toMatchObject({ code: 2, err: expect.stringMatching(/zk:/) });
      expect(await zk('cp', join(folder, 'none'), '/zk/x')).toMatchObject({ code: 2 });
    });

    test('chmod changes the first entry of the ACL', async () => {
      await make('/zk/mode', 'x');
      expect(await zk('chmod', 'n-wd', '/zk/mode')).toMatchObject({ code: 0, err: '' });
      expect((await zk('stat', '/zk/mode')).out).toContain(' world:anyone r--ca');
      expect(await zk('chmod', 'n+w', '/zk/mode')).toMatchObject({ code: 0 });
      expect((await zk('stat', '/zk/mode')).out).toContain(' world:anyone rw-ca');
      expect(await zk('chmod', 'u+w', '/zk/mode')).toMatchObject({ code: 2 });
    });

    describe('wait and watch', () => {
      /** Runs a command, and changes something once the server has its watch. */
      async function meanwhile(line: string[], change: () => Promise<unknown>): Promise<CliResult> {
        // That of the command before goes with its session.
        await eventually(async () => (await watches(server.servers)) === 0);
        const running = zk(...line);
        await eventually(async () => (await watches(server.servers)) > 0);
        await change();
        return running;
      }

      test('wait ends with a change, a creation, and a new child', async () => {
        await make('/zk/w', '1');
        const changed = await meanwhile(['wait', '/zk/w'], () => client.setData('/zk/w', bytes('2'), -1));
        expect(changed).toMatchObject({ code: 0, out: 'event: EventNodeDataChanged /zk/w\n' });
        const child = await meanwhile(['wait', '/zk/w/'], () => make('/zk/w/child'));
        expect(child).toMatchObject({ code: 0, out: 'event: EventNodeChildrenChanged /zk/w\n' });
        const made = await meanwhile(['wait', '-e', '/zk/w/later'], () => make('/zk/w/later'));
        expect(made).toMatchObject({ code: 0, out: 'event: EventNodeCreated /zk/w/later\n' });
        expect(await zk('wait', '-e', '/zk/w')).toMatchObject({
          code: 3,
          err: expect.stringMatching(/exists already/),
        });
      });

      test('wait outlives a server that is gone for a while, and misses nothing meanwhile', async () => {
        await make('/zk/patient', '1');
        const result = await meanwhile(['wait', '/zk/patient'], async () => {
          await server.restart();
          await eventually(() => client.setData('/zk/patient', bytes('2'), -1).catch(() => undefined));
        });
        expect(result).toMatchObject({ code: 0, out: 'event: EventNodeDataChanged /zk/patient\n' });
      }, 60_000);

      test('watch shows each change with its data until it is interrupted', async () => {
        await make('/zk/watched', '1');
        const stop = new AbortController();
        const before = await watches(server.servers);
        let told = 0;
        const onOut = () => {
          told += 1;
        };
        const line = ['zk', '--server', server.servers, 'watch', '/zk/watched'];
        const running = cli(line, {}, { signal: stop.signal, onOut });
        await eventually(async () => (await watches(server.servers)) > before);
        await client.setData('/zk/watched', bytes('2'), -1);
        await eventually(() => told >= 1);
        await client.delete('/zk/watched', -1);
        await eventually(() => told >= 3);
        stop.abort();
        const { code, out, bytes: data } = await running;
        expect(code).toBe(0);
        expect(out).toContain('event: EventNodeDataChanged /zk/watched\n');
        expect(out).toContain('event: EventNodeDeleted /zk/watched\n');
        expect(data.toString()).toBe('2');
        expect(await zk('watch', '/zk/nothing')).toMatchObject({ code: 3 });
      });
    });

    test('edit writes what the editor left, and never over what somebody else wrote', async () => {
      await make('/zk/edited', 'old');
      const edit = (editor: string) =>
        cli(['zk', '-server', server.servers, 'edit', '/zk/edited'], { EDITOR: editor });
      expect(await edit('true')).toMatchObject({ code: 0, out: 'nothing was changed\n' });
      expect(await edit("sed -i 's/old/new/'")).toMatchObject({ code: 0, err: '' });
      expect((await client.getData('/zk/edited')).data?.toString()).toBe('new');
      const rival = join(folder, 'editor.sh');
      const flag = join(folder, 'editing');
      writeFileSync(rival, `echo mine > "$1"; : > ${flag}\n${scriptWaits(`[ ! -e ${flag} ]`)}\n`);
      const running = edit(`sh ${rival}`);
      await eventually(() => exists(flag));
      await client.setData('/zk/edited', bytes('theirs'), -1);
      rmSync(flag);
      expect(await running).toMatchObject({ code: 3, err: expect.stringMatching(/BadVersion/) });
      expect((await client.getData('/zk/edited')).data?.toString()).toBe('theirs');
      expect(await edit('false')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/nothing is written/),
      });
      expect(await cli(['zk', '-server', server.servers, 'edit', '/zk/edited'])).toMatchObject({ code: 2 });
    });

    test('credentials come from a file, and what they may not is told', async () => {
      await client.create({
        path: '/zk/closed',
        data: bytes('x'),
        acl: [{ perms: 31, scheme: 'auth', id: '' }],
      });
      expect(await zk('cat', '/zk/closed')).toMatchObject({
        code: 3,
        err: expect.stringMatching(/Unauthorized/),
      });
      const file = join(folder, 'auth');
      writeFileSync(file, 'digest:vt:secret-word\n');
      const line = ['zk', '-topo_zk_auth_file', file, '-server', server.servers, 'cat', '/zk/closed'];
      expect((await cli(line)).bytes.toString()).toBe('x');
      writeFileSync(file, 'secret-word\n');
      const refused = await cli(line);
      expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/SCHEME:AUTH/) });
      expect(refused.err).not.toContain('secret-word');
    });

    test('the servers may come from the environment', async () => {
      expect((await cli(['zk', 'ls', '/zk/dir'], { ZK_SERVER: server.servers })).out).toBe('a\nb\nc\n');
    });
  });
}

/** How many watches the server has, as its own command tells. */
async function watches(servers: string): Promise<number> {
  const said = await fourLetterWord(servers, 'mntr');
  return Number(/zk_watch_count\s+(\d+)/.exec(said)?.[1]);
}

function exists(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}

describe('zk without a server', () => {
  test('help lists the commands, or tells of one', async () => {
    const { code, out } = await cli(['zk', 'help']);
    expect(code).toBe(0);
    expect(out).toMatch(/^cat \[-l\] \[-f\] PATH…\n/);
    expect((await cli(['zk', 'rm', '--help'])).out).toMatch(/^rm \[-r\]/);
    expect((await cli(['zk', '--help'])).out).toContain('zk -server zk1:2181 ls -l /vitess/global');
  });

  test.each([
    [['zk'], /zk what/],
    [['zk', 'ls', '/zk'], /no server/],
    [['zk', 'frobnicate', '/zk'], /no command of zk[\s\S]*cat, chmod/],
    [['zk', 'zip', '/zk', 'a.zip'], /not offered[\s\S]*topo2topo copy/],
    [['zk', 'unzip', 'a.zip', '/'], /not offered[\s\S]*topo2topo copy/],
    [['zk', 'addauth', 'digest', 'u:hidden-word'], /addAuth is not offered[\s\S]*topo-zk-auth-file/],
    [['zk', '-server', 'h1:x', 'ls', '/'], /host:port/],
    [['zk', '-server', 'h1', 'ls', 'zk'], /slash/],
  ])('%j is refused', async (line, message) => {
    const { code, err } = await cli(line);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toContain('hidden-word');
  });

  test('servers that do not answer are named', async () => {
    const [port] = await freePorts(1);
    const { code, err } = await cli(['zk', '-server', `127.0.0.1:${port}`, '--timeout', '5', 'ls', '/']);
    expect(code).toBe(3);
    expect(err).toContain(String(port));
  });
});
