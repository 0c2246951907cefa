import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Places, placesInMemory, plantSample, SCOPES } from '../copy/followers.js';
import { cli, cliJson } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';

const TOOL = fileURLToPath(new URL('./tool-process.ts', import.meta.url));

let root: string;
let folder: string;
let places: Places;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'topo2topo-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'backups-'));
  places = placesInMemory();
  await plantSample(places);
});

const source = () => places.source('global');
const put = (path: string, value: string) =>
  withStore(source(), (store) => store.update(path, Buffer.from(value), null));
const backUp = async (name: string, ...args: string[]) => {
  const file = join(folder, name);
  expect(await cli(['backup', source(), `file:${file}`, ...args])).toMatchObject({ code: 0, err: '' });
  return file;
};
const names = async () => (await readdir(folder)).sort();

/** Removes everything in the stores of the source. */
async function wipe(): Promise<void> {
  for (const scope of SCOPES)
    await withStore(places.source(scope), async (store) => {
      for await (const { records } of store.scan(''))
        for (const { path } of records) await store.delete(path, null);
    });
}

const everything = () => Promise.all(SCOPES.map((scope) => contents(places.source(scope))));

describe('a backup', () => {
  test('says what it was made of, and holds it', async () => {
    const file = join(folder, 'one.topo');
    const said = await cliJson(['backup', source(), `file:${file}`]);
    const [global] = await everything();
    expect(said).toMatchObject({
      file,
      from: source(),
      changedMeanwhile: 0,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      scopes: [
        {
          scope: 'global',
          records: global?.size,
          kinds: { CellInfo: 2, Shard: 7 },
          identity: expect.any(String),
        },
        { scope: 'zone1', store: places.source('zone1') },
        { scope: 'zone2' },
      ],
    });
    expect(await names()).toEqual(['one.topo']);
  });

  test('of what is not there, or to a name that is taken, leaves nothing behind', async () => {
    const file = await backUp('one.topo');
    const before = await readFile(file);
    const again = await cli(['backup', source(), `file:${file}`]);
    expect(again).toMatchObject({ code: 3, err: expect.stringContaining('exists already') });
    expect(await readFile(file)).toEqual(before);
    await wipe();
    const empty = await cli(['backup', source(), `file:${join(folder, 'two.topo')}`]);
    expect(empty).toMatchObject({ code: 4, err: expect.stringContaining('the source holds nothing') });
    expect(await names()).toEqual(['one.topo']);
  });

  test('is restored after everything was lost, where the cells were, byte for byte', async () => {
    const before = await everything();
    const file = await backUp('one.topo');
    await wipe();
    const restored = await cli(['restore', `file:${file}`, source(), '--recorded-cells']);
    expect(restored).toMatchObject({ code: 0, err: '', out: expect.stringContaining('equal') });
    expect(restored.out).toContain(`is a backup of ${source()}`);
    expect(restored.out).toContain(`topo2topo graph rebuild ${source()}`);
    expect(restored.out).not.toContain('Vitess uses the source');
    expect(await everything()).toEqual(before);
    expect(await cliJson(['verify', `file:${file}`, source()])).toMatchObject({ equal: true });
  });

  test('that is restored says to programs what it is of, how old it is, and what it holds', async () => {
    const made = (await cliJson(['backup', source(), `file:${join(folder, 'two.topo')}`])) as object;
    const args = ['restore', `file:${join(folder, 'two.topo')}`, source(), '--recorded-cells', '--dry-run'];
    const { backup } = (await cliJson(args)) as { backup: Record<string, unknown> };
    expect(made).toMatchObject({ sha256: backup['sha256'], records: backup['records'], from: source() });
    expect(backup).toMatchObject({ from: source(), changedMeanwhile: 0 });
    expect(backup['ageSeconds']).toBeLessThan(600);
    expect(backup['scopes']).toContainEqual(expect.objectContaining({ scope: 'zone1' }));
  });

  test('goes elsewhere with the addresses of that place', async () => {
    const file = await backUp('one.topo');
    const args = ['restore', `file:${file}`, places.destination('global')];
    expect(await cli(args)).toMatchObject({ code: 2, err: expect.stringContaining('zone1, zone2') });
    expect(await cli([...args, '--to-cell-root', places.cellRoot])).toMatchObject({ code: 0 });
    expect(await cli(['verify', source(), places.destination('global')])).toMatchObject({ code: 0 });
  });

  test('is guarded like a copy where the destination is not empty', async () => {
    const file = await backUp('one.topo');
    await put('metadata/on-call', 'new');
    await put('metadata/owner', 'changed');
    const args = ['restore', `file:${file}`, source(), '--recorded-cells'];
    const stopped = await cli(args);
    expect(stopped).toMatchObject({ code: 4, err: expect.stringContaining('global:metadata/on-call') });
    const shown = await cli([...args, '--allow-extra', '--dry-run']);
    expect(shown.out).toMatch(/~ global:metadata\/owner/);
    const restored = await cli([...args, '--delete', '--max-delete', '1']);
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect((await contents(source())).get('metadata/owner')?.toString()).toBe('payments');
  });

  test('gives back one keyspace alone', async () => {
    const file = await backUp('one.topo');
    await put('metadata/owner', 'changed');
    const path = 'keyspaces/commerce/VSchema';
    const vschema = (await contents(source())).get(path);
    await withStore(source(), (store) => store.delete(path, null));
    const restored = await cli(['restore', `file:${file}`, source(), '--keyspace', 'commerce']);
    expect(restored).toMatchObject({ code: 0, err: '', out: expect.stringContaining('topo2topo verify') });
    expect((await contents(source())).get(path)).toEqual(vschema);
    expect((await contents(source())).get('metadata/owner')?.toString()).toBe('changed');
  });

  test('is compared with the store, and the differences are named', async () => {
    const file = await backUp('one.topo');
    await put('metadata/owner', 'changed');
    const { code, out } = await cli(['verify', `file:${file}`, source()]);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining('global:metadata/owner') });
    expect(out).toContain(`is a backup of ${source()}`);
    expect((await cli(['verify', `file:${file}`, source(), '--output', 'html'])).out).toContain(
      `is a backup of ${source()}`,
    );
  });

  test('that is compared says to programs what it is of, and when it was made', async () => {
    const file = await backUp('one.topo');
    const made = await cliJson(['backup', source(), `file:${join(folder, 'two.topo')}`]);
    const document = await cliJson(['verify', `file:${file}`, `file:${join(folder, 'two.topo')}`]);
    const schema = JSON.parse(readFileSync('schema/verify.schema.json', 'utf8'));
    const isRight = new Ajv2020({ strictRequired: false }).compile(schema);
    expect(isRight(document), JSON.stringify(isRight.errors)).toBe(true);
    const { sha256, begun, made: at, tool } = made as Record<string, unknown>;
    expect(document).toMatchObject({
      backups: [
        { side: 'source', file: `file:${file}`, from: source(), sha256 },
        { side: 'destination', from: source(), sha256, begun, made: at, tool, changedMeanwhile: 0 },
      ],
    });
  });

  test('that is cut off, altered, edited, or none, is refused', async () => {
    const file = await backUp('one.topo');
    const whole = await readFile(file);
    const refused = async (...said: string[]) => {
      for (const args of [
        ['restore', `file:${file}`, places.destination('global'), '--to-cell-root', places.cellRoot],
        ['verify', `file:${file}`, source()],
      ]) {
        const { code, err } = await cli(args);
        expect({ code, err }, args[0]).toEqual({ code: 3, err: expect.stringContaining(said[0] ?? '') });
      }
      expect((await contents(places.destination('global'))).size).toBe(0);
    };
    for (const size of [0, 10, Math.floor(whole.length / 2), whole.length - 1]) {
      await truncate(file, size);
      await refused('damaged');
      await writeFile(file, whole);
    }
    const altered = Buffer.from(whole);
    const at = altered.indexOf('"base64":"') + 12;
    altered[at] = altered[at] === 65 ? 66 : 65;
    await writeFile(file, altered);
    await refused('damaged');
    await writeFile(file, whole);
    await withStore(`file:${file}`, (store) => store.update('metadata/owner', Buffer.from('stranger'), null));
    await refused('altered after it was made');
    await withStore(`file:${file}`, (store) => store.delete('topo2topo/backup', null));
    const restore = ['restore', `file:${file}`, places.destination('global'), '--to-cell-root', '/x/{cell}'];
    expect(await cli(restore)).toMatchObject({ code: 3, err: expect.stringContaining('is no backup') });
    const none = await cli(['restore', `file:${file}x`, source(), '--recorded-cells']);
    expect(none).toMatchObject({ code: 3, err: expect.stringContaining('there is no such file') });
  });

  test('needs no lock to be free, and names what it left out', async () => {
    await withStore(source(), async (store) => {
      const lock = await store.lock('keyspaces/commerce', 'Reparent');
      try {
        const { code, out } = await cli(['backup', source(), `file:${join(folder, 'one.topo')}`]);
        expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('entry of a lock: 1') });
      } finally {
        await lock.unlock();
      }
    });
  });
});

describe('a folder of backups', () => {
  const into = (...args: string[]) => ['backup', source(), `file:${folder}/`, ...args];

  test('gets one file each, and keeps what it is told to, the newest always', async () => {
    const first = (await cliJson(into())) as { file: string };
    const day = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    const [stem = ''] = /^.*topology-[0-9a-f]{8}-/.exec(first.file) ?? [];
    const old = (days: number) => `${stem}${day(days)}T00-00-00.000Z.topo`;
    const others = join(folder, `topology-00000000-${day(9)}T00-00-00.000Z.topo`);
    for (const file of [old(2), old(5), old(9), others]) await writeFile(file, await readFile(first.file));
    await rm(first.file);
    const kept = (await cliJson(into('--keep', '1', '--keep-for', '6d'))) as {
      file: string;
      removed: string[];
    };
    expect(kept.removed).toEqual([old(9)]);
    expect((await names()).map((name) => join(folder, name))).toEqual(
      [others, old(5), old(2), kept.file].sort(),
    );
  });

  test('is not thinned when a backup fails, and a source that lost much is not backed up over', async () => {
    await cliJson(into());
    const [good] = await names();
    await withStore(places.source('zone1'), async (store) => {
      for await (const { records } of store.scan('tablets'))
        for (const { path } of records.slice(0, 6)) await store.delete(path, null);
    });
    const failed = await cli(into('--keep', '1'));
    expect(failed).toMatchObject({ code: 4, err: expect.stringContaining('less than at the last run') });
    expect(await names()).toEqual([good]);
  });

  test('is rid of what backups that were killed have left, an hour later', async () => {
    const { file } = (await cliJson(into())) as { file: string };
    const left = `${file}.0123abcd.partial`;
    const recent = `${file}.0123abce.partial`;
    for (const name of [left, `${left}.tmp`, recent]) await writeFile(name, 'x');
    const then = new Date(Date.now() - 3_700_000);
    for (const name of [left, `${left}.tmp`]) await utimes(name, then, then);
    await rm(file);
    const next = (await cliJson(into())) as { left: string[] };
    expect(next.left.sort()).toEqual([left, `${left}.tmp`]);
    expect(await names()).toHaveLength(2);
  });

  test('is filled again and again until it is stopped', { timeout: 90_000 }, async () => {
    const stop = new AbortController();
    let outs = 0;
    const onOut = () => {
      outs += 1;
      if (outs === 3) stop.abort();
    };
    const { code, out, err } = await cli(
      into('--every', '1s', '--keep', '2', '--output', 'json'),
      {},
      { signal: stop.signal, onOut },
    );
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('stopped: 3 backups made; ') });
    const made = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; removed: string[] });
    expect(made.map(({ removed }) => removed)).toEqual([[], [], [made[0]?.file]]);
    expect(await names()).toHaveLength(2);
  });

  test('goes on after a failure, which is named, and keeps the last good one', {
    timeout: 90_000,
  }, async () => {
    const stop = new AbortController();
    let outs = 0;
    const onOut = () => {
      outs += 1;
      if (outs === 1) void wipe();
      if (outs === 3) stop.abort();
    };
    const args = into('--every', '2s', '--keep', '1', '--output', 'json');
    const { code, err } = await cli(args, {}, { signal: stop.signal, onOut });
    expect(code).toBe(4);
    expect(err).toMatch(/this backup failed, and none was removed: the last good one is .*topology-/);
    expect(err).toMatch(/stopped: 1 backup made, 2 backups failed; the last good one is/);
    const [good = ''] = await names();
    expect(await names()).toEqual([good]);
    const restore = ['restore', `file:${join(folder, good)}`, source(), '--recorded-cells'];
    expect(await cli(restore)).toMatchObject({ code: 0, err: '' });
  });

  test('is left without anything half done when it is stopped while a backup is made', async () => {
    const stop = new AbortController();
    const running = cli(into('--every', '1h'), {}, { signal: stop.signal });
    while ((await names()).length === 0) await sleep(1);
    stop.abort();
    const { code, err } = await running;
    expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^stopped: [01] backups? made; /) });
    expect((await names()).filter((name) => !name.endsWith('Z.topo'))).toEqual([]);
  });

  test('is filled by a process until Ctrl-C', { timeout: 90_000 }, async () => {
    const file = await backUp('source.topo');
    const into = join(folder, 'into');
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', TOOL, 'backup', `file:${file}`, `file:${into}/`, '--every', '1h'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('sha256')) child.kill('SIGINT');
    });
    const code = await ended;
    expect({ code, err }).toEqual({
      code: 0,
      err: expect.stringContaining('stopped: 1 backup made; the last'),
    });
    expect(await readdir(into)).toEqual([expect.stringMatching(/^topology-.*Z\.topo$/)]);
  });

  test.each([
    [['--every', '1h'], 'needs a folder'],
    [['--keep', '2'], 'needs a folder'],
  ])('is needed for %j', async (args, said) => {
    const one = ['backup', source(), `file:${join(folder, 'one.topo')}`, ...args];
    expect(await cli(one)).toMatchObject({ code: 2, err: expect.stringContaining(said) });
  });
});

test('a backup goes to a file, and a restore comes from one', async () => {
  const elsewhere = places.destination('global');
  expect(await cli(['backup', source(), elsewhere])).toMatchObject({ code: 2 });
  expect(await cli(['restore', elsewhere, source()])).toMatchObject({ code: 2 });
});

test.runIf(existsSync('/proc'))(
  'a backup that cannot be written is named as it was to be called, once',
  async () => {
    const name = relative(process.cwd(), '/proc/never.topo');
    expect(await cli(['backup', source(), `file:${name}`])).toMatchObject({
      code: 3,
      err: expect.stringMatching(
        /^error the folder of the file does not exist \(store file:\/proc\/never\.topo#\/\w+\) \[/,
      ),
    });
  },
);
