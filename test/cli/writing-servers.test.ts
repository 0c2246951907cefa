import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encode } from '../../src/topo/codec.js';
import { available, freePorts, startEtcd } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { PRODUCTS } from '../support/products.js';
import { scriptWaits } from '../support/script-waits.js';
import { contents, withStore } from '../support/topologies.js';
import { type Bench, bench, keptText, smallTopology } from './writing-topology.js';

const LIMIT_MS = 120_000;
/** Long enough for a busy machine, short enough to notice what hangs. */
const PATIENCE = ['--timeout', '20'];

interface Place {
  /** Address of the global store. */
  readonly global: string;
  /** What CellInfo says of zone1. */
  readonly server: string;
  readonly root: string;
  stop(): Promise<void>;
}

interface Product {
  readonly name: string;
  readonly available: boolean;
  /** Whether somebody who is connected holds locks there, which the store itself ends with them. */
  readonly sessions: boolean;
  start(folder: string): Promise<Place>;
}

const nothing = async () => {};
const PLACES: readonly Product[] = [
  ...PRODUCTS.map(({ implementation, available: isAvailable, start, root }) => ({
    name: implementation,
    available: isAvailable,
    sessions: true,
    async start() {
      const server = await start();
      const global = `${implementation}://${server.servers}/vitess/global`;
      return { global, server: server.servers, root: root('zone1'), stop: () => server.stop() };
    },
  })),
  {
    name: 'memory',
    available: true,
    sessions: true,
    async start() {
      const server = `zookeeper:${randomUUID()}`;
      return { global: `memory://${server}/vitess/global`, server, root: '/vitess/zone1', stop: nothing };
    },
  },
  {
    name: 'file',
    available: true,
    sessions: false,
    async start(folder) {
      const file = `file:${join(folder, 'backup.topo')}`;
      return { global: file, server: 'zk1:2181', root: '/vitess/zone1', stop: nothing };
    },
  },
];

for (const product of PLACES) {
  describe.runIf(product.available)(`put, edit and rm on ${product.name}`, () => {
    let place: Place;
    let work: Bench;
    beforeAll(async () => {
      work = await bench();
      place = await product.start(work.folder);
      const { global, zone1 } = smallTopology(place.server, place.root);
      await withStore(place.global, async (store) => {
        for (const [path, bytes] of global) await store.create(path, bytes);
      });
      for (const [path, bytes] of zone1) {
        const file = await work.file(bytes);
        await run('put', path, '--cell', 'zone1', '--create', '--file', file);
      }
    }, LIMIT_MS);
    afterAll(async () => {
      await place?.stop();
      await work?.clear();
    });

    const words = (command: string, ...more: string[]) => [command, place.global, ...more, ...PATIENCE];
    const run = async (command: string, ...more: string[]) => {
      const result = await cli(words(command, ...more));
      expect(result).toMatchObject({ code: 0, err: '' });
      return result.out;
    };
    const json = (command: string, ...more: string[]) => cliJson(words(command, ...more));
    const shown = async (path: string, ...more: string[]) =>
      JSON.parse((await cli(words('cat', path, '--data-as-json', ...more))).out || 'null');
    const undoOf = (out: string) => {
      const at = out.indexOf('to put it back');
      const [, line = '', how = ''] = out.slice(at).split('\n');
      expect(how).toBe(`and run: topo2topo undo ${place.global} FILE --yes`);
      return line;
    };

    const KEYSPACE = 'keyspaces/commerce/Keyspace';
    const TABLET = 'tablets/zone1-0000000100/Tablet';

    test('a record is put, edited, shown, removed and put back', { timeout: LIMIT_MS }, async () => {
      const bytes = Buffer.from([0, 255, 10]);
      const made = await run('put', 'metadata/blob', '--create', '--file', await work.file(bytes));
      expect(made.replace(/^\{.*\}$/m, 'LINE')).toBe(
        `create global:metadata/blob\nto put it back, save the next line as FILE:\nLINE\nand run: topo2topo undo ${place.global} FILE --yes\ndone 1 record\n`,
      );
      expect((await contents(place.global)).get('metadata/blob')).toEqual(bytes);

      const { EDITOR = '' } = await work.editor(`sed -i 's/"none"/"semi_sync"/' "$1"`);
      const edited = await cli(words('edit', KEYSPACE, '--yes'), { EDITOR });
      expect(edited).toMatchObject({ code: 0, err: '' });
      expect(edited.out).toMatch(
        /^update global:keyspaces\/commerce\/Keyspace\n {4}durability_policy: "none" → "semi_sync"\nto be weighed:\n {2}reparents and VTOrc go by it from now on \(needs --yes\): 1\n {4}global:keyspaces\/commerce\/Keyspace\nto put it back/,
      );
      expect(await shown(KEYSPACE)).toEqual({ durability_policy: 'semi_sync' });
      expect(await run('undo', await work.file(undoOf(edited.out)))).toMatch(/"semi_sync" → "none"/);
      expect(await shown(KEYSPACE)).toEqual({ durability_policy: 'none' });

      const removed = await run('rm', 'metadata/blob', 'metadata/owner', '--yes');
      expect(removed).toMatch(/^delete global:metadata\/owner\ndelete global:metadata\/blob\nto put it back/);
      expect((await contents(place.global)).has('metadata/blob')).toBe(false);
      await run('undo', await work.file(undoOf(removed)));
      expect((await contents(place.global)).get('metadata/blob')).toEqual(bytes);
    });

    test('versions hold, from cat to put', { timeout: LIMIT_MS }, async () => {
      const { version } = (await json('cat', KEYSPACE)) as { version: string };
      const file = await work.file('{"durability_policy": "cross_cell"}');
      const args = ['put', KEYSPACE, '--json', '--file', file, '--yes', '--if-version', version] as const;
      expect(await json(...args)).toMatchObject({
        command: 'put',
        written: true,
        changes: [{ path: KEYSPACE }],
      });
      const late = await cli(words(...args));
      expect(late).toMatchObject({ code: 3, out: '', err: expect.stringMatching(/BadVersion/) });
      expect(await shown(KEYSPACE)).toEqual({ durability_policy: 'cross_cell' });
    });

    test('an edit whose record moves under it is refused, and its text kept', {
      timeout: LIMIT_MS,
    }, async () => {
      const [open, done] = [join(work.folder, 'open'), join(work.folder, 'done')];
      const { EDITOR = '' } = await work.editor(
        `sed -i "s/h100/mine/" "$1"; : > ${open}\n${scriptWaits(`[ -e ${done} ]`)}`,
      );
      const editing = cli(words('edit', TABLET, '--cell', 'zone1', '--yes', '--force'), { EDITOR });
      await expect.poll(() => existsSync(open), { timeout: LIMIT_MS }).toBe(true);
      const now = await shown(TABLET, '--cell', 'zone1');
      const theirs = await work.file(JSON.stringify({ ...now, hostname: 'theirs' }));
      await run('put', TABLET, '--cell', 'zone1', '--json', '--file', theirs, '--yes');
      await writeFile(done, '');
      const { code, err } = await editing;
      expect(err).toMatch(/\[BadVersion\]\n.*edit the record anew; what was edited is kept in \S+\n$/);
      expect(code).toBe(3);
      expect(await keptText(err)).toContain('"hostname": "mine"');
      expect(await shown(TABLET, '--cell', 'zone1')).toMatchObject({ hostname: 'theirs' });
    });

    test('-r counts by kind, and what a cluster reads needs --force', { timeout: LIMIT_MS }, async () => {
      const before = await contents(place.global);
      const dry = await run('rm', 'keyspaces/commerce', '-r', '--dry-run');
      expect(dry).toBe(
        [
          'delete 2 records',
          '  Shard: 1',
          '    global:keyspaces/commerce/shards/0/Shard',
          '  Keyspace: 1',
          '    global:keyspaces/commerce/Keyspace',
          'to be weighed:',
          '  still has tablets: zone1-0000000100 (needs --yes --force): 2',
          '    global:keyspaces/commerce/shards/0/Shard',
          '    global:keyspaces/commerce/Keyspace',
          'dry run: nothing is written',
          '',
        ].join('\n'),
      );
      const refused = await cli(words('rm', TABLET, '--cell', 'zone1', '--yes'));
      expect(refused).toMatchObject({ code: 4, err: expect.stringMatching(/add --force/) });
      expect(refused.out).toMatch(/is the primary that its shard names: commerce\/0 \(needs --yes --force\)/);
      expect(await contents(place.global)).toEqual(before);

      const out = await run('rm', 'keyspaces/commerce', '-r', '--yes', '--force');
      expect(
        [...(await contents(place.global)).keys()].filter((path) => path.startsWith('keyspaces')),
      ).toEqual([]);
      await run('undo', await work.file(undoOf(out)));
      expect(await contents(place.global)).toEqual(before);
    });

    test.runIf(product.sessions)(
      'a lock that is held is refused by name',
      { timeout: LIMIT_MS },
      async () => {
        await withStore(place.global, async (store) => {
          const lock = await store.lock('keyspaces/commerce', '{}');
          try {
            const [entry] = await store.lockQueue('keyspaces/commerce');
            const before = await contents(place.global);
            for (const path of [[entry?.path ?? ''], ['keyspaces/commerce', '-r']]) {
              const refused = await cli(words('rm', ...path, '--yes', '--force'));
              expect(refused).toMatchObject({
                code: 4,
                out: '',
                err: expect.stringMatching(/entry of a lock.*\n.*locks break/),
              });
            }
            const input = { input: 'x' };
            expect(await cli(words('put', entry?.path ?? '', '--yes', '--force'), {}, input)).toMatchObject({
              code: 4,
            });
            expect(await contents(place.global)).toEqual(before);
          } finally {
            await lock.unlock();
          }
        });
      },
    );

    test('a plain record is a lock where a lock is one record', { timeout: LIMIT_MS }, async () => {
      const path = 'keyspaces/commerce/Lock';
      const isLock = await withStore(place.global, async (store) => store.capabilities.lockRecord === 'Lock');
      const put = await cli(words('put', path, '--yes', '--force'), {}, { input: 'x' });
      if (isLock) {
        expect(put).toMatchObject({ code: 4, out: '', err: expect.stringMatching(/entry of a lock/) });
        return;
      }
      expect(put.code).toBe(0);
      await run('rm', path, '--yes');
      expect((await contents(place.global)).has(path)).toBe(false);
    });

    test('a value larger than the store takes is refused before it is sent', {
      timeout: LIMIT_MS,
    }, async () => {
      const max = await withStore(place.global, async ({ capabilities }) => capabilities.maxValueBytes);
      const file = await work.file(Buffer.alloc(max + 1));
      expect(await cli(words('put', 'metadata/large', '--file', file, '--force'))).toMatchObject({
        code: 4,
        out: '',
        err: expect.stringMatching(/TooLarge/),
      });
    });
  });
}

describe.runIf(available.etcd('3.5'))('a cell that does not answer', () => {
  test('may have tablets: its keyspace is not deleted without --force', { timeout: LIMIT_MS }, async () => {
    const etcd = await startEtcd({ version: '3.5' });
    try {
      const [port] = await freePorts(1);
      const global = `etcd2://${etcd.servers}/vitess/global`;
      const cellInfo = { server_address: `127.0.0.1:${port}`, root: '/vitess/zone2' };
      await withStore(global, async (store) => {
        await store.create('cells/zone2/CellInfo', encode('topodata.CellInfo', cellInfo));
        await store.create('keyspaces/old/Keyspace', new Uint8Array());
      });
      const rm = (...more: string[]) =>
        cli(['rm', global, 'keyspaces/old/Keyspace', '--timeout', '2', ...more]);
      const refused = await rm('--yes');
      expect(refused.out).toMatch(/cannot be told: cell zone2 does not answer \(needs --yes --force\)/);
      expect(refused.code).toBe(4);
      expect((await contents(global)).has('keyspaces/old/Keyspace')).toBe(true);
      expect((await rm('--yes', '--force')).code).toBe(0);
      // An address that is none keeps nobody from repairing the rest.
      const unusable = encode('topodata.CellInfo', { server_address: '', root: '' });
      await withStore(global, async (store) => {
        await store.update('cells/zone2/CellInfo', unusable, null);
        await store.create('keyspaces/old/Keyspace', new Uint8Array());
      });
      expect((await rm('--yes')).out).toMatch(
        /cannot be told: the address in the CellInfo of zone2 cannot be used/,
      );
      expect((await rm('--yes', '--force')).code).toBe(0);
    } finally {
      await etcd.stop();
    }
  });
});
