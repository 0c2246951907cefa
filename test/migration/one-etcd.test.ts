import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { V2 } from '../backends/etcd-support.js';
import { clearEtcd, plantEtcd } from '../legacy/plant.js';
import { nodesOf, type Sample } from '../legacy/samples/sample.js';
import { wholeEtcd } from '../legacy/samples/whole.js';
import { available, startEtcd } from '../servers/index.js';
import { cli, cliJson } from '../support/cli.js';
import { contents } from '../support/topologies.js';

interface CopyJson {
  readonly written: number;
  readonly scopes: readonly {
    readonly scope: string;
    readonly writes: readonly { readonly path: string }[];
    readonly left: readonly { readonly native: string; readonly why: string }[];
  }[];
  readonly verification: { readonly decision: string; readonly differences: unknown[] };
}

/** Files that no version of Vitess made, of which the global store has a part and the cell one. */
const OF_GLOBAL = { '/vt/strange/file': 'odd', '/vt/top': 'odd as well' };
const OF_CELL = { '/vt/ns/a/b/c/file': 'deep' };
const OF_NOBODY = { '/vt/tablets/notes': 'no tablet' };

/** What is made anew, or derived. */
const NOT_BACK = /^\/vt\/cells\/|\/_Lock$|\/ns\/[^/]+\/[^/]+(\/[^/]+)?\/_Data$/;

describe.runIf(available.etcd('3.3'))('a cell in the root of the global store', () => {
  let etcds: Awaited<ReturnType<typeof startEtcd>>[];
  let folder: string;
  beforeAll(async () => {
    const start = () => startEtcd({ version: '3.3', flags: ['--enable-v2'] });
    etcds = await Promise.all([start(), start(), start(), start()]);
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  }, 60_000);
  afterAll(async () => {
    await Promise.all((etcds ?? []).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  const url = (index: number) => etcds[index]?.endpoints[0] ?? '';
  const at = (index: number) => url(index).replace('http://', '');
  const from = () => `etcd://${at(0)}/vt`;
  const today = (top: string) => (scope: string) => `etcd2://${at(0)}/${top}/${scope}`;
  /** The first server has the global store and `nyc`, the second has `sfo`. */
  const planted = (): { readonly one: Sample; readonly sfo: Sample } => {
    const { global, nyc, sfo } = wholeEtcd({ nyc: url(0), sfo: url(1) });
    return { one: { ...global, ...nyc, ...OF_GLOBAL, ...OF_CELL, ...OF_NOBODY }, sfo };
  };
  beforeEach(async () => {
    await Promise.all(etcds.map(({ endpoints }) => clearEtcd(endpoints[0] ?? '')));
    const { one, sfo } = planted();
    await Promise.all([plantEtcd(one, url(0)), plantEtcd(sfo, url(1))]);
  });

  /** Copies, verifies, and does both again. */
  async function copied(source: string, to: string, ...flags: string[]): Promise<CopyJson> {
    const first = (await cliJson(['copy', source, to, '--verify', ...flags])) as CopyJson;
    const again = (await cliJson(['copy', source, to, '--verify', ...flags])) as CopyJson;
    expect([first, again].map(({ verification }) => verification.differences)).toEqual([[], []]);
    expect(again.written).toBe(0);
    return first;
  }

  test('is copied into etcd2 and back, everything once', async () => {
    const place = today('one');
    const { scopes, written } = await copied(from(), place('global'), '--to-cell-root', '/one/{cell}');
    expect(scopes.map(({ scope, left }) => [scope, left])).toEqual([
      ['global', []],
      ['nyc', [{ native: '/vt/tablets/notes', why: 'not the name of a tablet' }]],
      ['sfo', []],
    ]);
    const held = await Promise.all(['global', 'nyc', 'sfo'].map((scope) => contents(place(scope))));
    const [global, nyc, sfo] = held.map((records) => [...records.keys()]);
    expect(global?.length).toBe(15);
    expect(written).toBe(held.flatMap((records) => [...records]).length);
    expect(global).toEqual(expect.arrayContaining(['metadata/tool', 'strange/file', 'top']));
    expect(nyc?.filter((path) => !/^(keyspaces|tablets)\//.test(path))).toEqual([
      'SrvVSchema',
      'ns/a/b/c/file',
    ]);
    expect(sfo?.length).toBe(nyc === undefined ? 0 : nyc.length - 2);

    const back = ['--to-cell-root', '/vt', '--to-cell', `sfo=${url(3)},/vt`];
    await copied(place('global'), `etcd://${at(2)}/vt`, ...back);
    const v2 = [new V2(() => url(2)), new V2(() => url(3))];
    const { one, sfo: other } = planted();
    for (const [i, sample] of [one, other].entries())
      for (const { path, value } of nodesOf(sample)) {
        if (path in OF_NOBODY || NOT_BACK.test(path)) continue;
        expect(jsonIn(await v2[i]?.get(path)), path).toEqual(jsonIn(value?.toString()));
      }
    expect(await v2[0]?.get('/vt/cells/nyc')).toBe(at(2));
  });

  test('is looked at, saved and restored, everything once', async () => {
    const tree = await cli(['ls', from(), '-R']);
    const ofCell = await cli(['ls', from(), '-R', '--cell', 'nyc']);
    expect(tree.out).toContain('strange:\nfile');
    expect(tree.out).not.toMatch(/^(ns|tablets|replication)/m);
    expect(ofCell.out).not.toMatch(/strange|metadata/);
    expect(ofCell.out).toMatch(/nyc-0000000100/);
    const file = `file:${join(folder, 'one.topo')}`;
    await cliJson(['backup', from(), file]);
    const place = today('restored');
    const roots = ['--to-cell-root', '/restored/{cell}', '--target-version', '11'];
    expect(await cliJson(['restore', file, place('global'), ...roots])).toMatchObject({
      notes: [expect.stringContaining('no is_primary_serving')],
    });
    expect((await contents(place('nyc'))).has('ns/a/b/c/file')).toBe(true);
    expect((await contents(place('nyc'))).has('top')).toBe(false);
    expect((await contents(place('global'))).has('top')).toBe(true);
    expect((await cli(['lint', from(), '--target-version', '2.1'])).out).not.toContain('cell-overlap');
  });

  test('is refused when it is not alone there, and says why', async () => {
    await new V2(() => url(0)).put('/vt/cells/sfo', url(0));
    const { code, err } = await cli([
      'plan',
      from(),
      today('two')('global'),
      '--to-cell-root',
      '/two/{cell}',
    ]);
    expect(code).toBe(2);
    expect(err).toMatch(/cell nyc and cell sfo of the source overlap/);
    expect(err).toMatch(
      /nothing tells of which of them the serving graph \(ns\) and the replication graph are/,
    );
    expect(err).toContain('--from-cell');
  });

  test('that no address leads to is named', async () => {
    const { one } = planted();
    // What can be seen is copied as the unknown file that it is.
    await new V2(() => url(0)).put('/vt/cells/nyc', url(2));
    const moved = Object.entries(one).filter(([path]) => /^\/vt\/(tablets|ns|replication)\//.test(path));
    await plantEtcd(Object.fromEntries(moved), url(2));
    const { scopes } = (await cliJson([
      'plan',
      from(),
      today('three')('global'),
      '--to-cell-root',
      '/three/{cell}',
    ])) as CopyJson;
    expect(scopes[0]?.left.map(({ native }) => native).sort()).toEqual([
      '/vt/ns',
      '/vt/replication',
      '/vt/tablets',
    ]);
    expect(scopes[0]?.writes.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['ns/a/b/c/file', 'tablets/notes']),
    );
  });
});

/** What a file means: its JSON, or its text. */
function jsonIn(value: string | undefined): unknown {
  return value !== undefined && /^[{[]/.test(value) ? JSON.parse(value) : value;
}
