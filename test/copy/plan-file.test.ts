import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { cli, cliJson } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';

let folder: string;
let plan: string;
let from: string;
let to: string;
let source: (scope: string) => string;
let destination: (scope: string) => string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  plan = join(folder, 'plan.jsonl');
  const id = randomUUID();
  source = (scope) => `memory://zookeeper:${id}/vitess/${scope}`;
  destination = (scope) => `memory://etcd:${id}/vitess/${scope}`;
  [from, to] = [source('global'), destination('global')];
  for (const scope of ['global', 'zone1', 'zone2'])
    await withStore(source(scope), async (store) => {
      for (const record of sampleTopology(`zookeeper:${id}`).filter((each) => each.scope === scope))
        await store.create(record.path, record.bytes);
    });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const make = (...more: string[]) =>
  cli(['plan', from, to, '--to-cell-root', '/vitess/{cell}', '-o', plan, ...more]);
const lines = async () => (await readFile(plan, 'utf8')).trim().split('\n');
/** Does what a copy that was killed has done by then: some of a plan, noted before it was sent. Gives its journal. */
async function killedJournal(): Promise<string> {
  const journal = join(folder, 'copy.journal');
  const some = ['--kinds', 'Tablet,SrvVSchema', '--journal', journal];
  await cli(['copy', from, to, '--to-cell-root', '/vitess/{cell}', ...some]);
  const noted = (await readFile(journal, 'utf8'))
    .split('\n')
    .filter((line) => !line.includes('"type":"done"'));
  await writeFile(journal, noted.join('\n'));
  return journal;
}

test('a plan is written, says how to carry it out, and is carried out as it stands', async () => {
  const made = await make();
  expect(made).toMatchObject({ code: 0, err: '' });
  expect(made.out).toContain(`topo2topo copy --plan ${plan}`);
  expect((await contents(to)).size).toBe(0);
  const written = await lines();
  expect(JSON.parse(written[0] ?? '')).toMatchObject({
    type: 'plan',
    from,
    to,
    flags: { 'to-cell-root': '/vitess/{cell}' },
  });
  expect(JSON.parse(written.at(-1) ?? '')).toEqual({ type: 'end', records: written.length - 5 });
  expect(await cli(['copy', '--plan', plan])).toMatchObject({ code: 0, err: '' });
  expect(await cli(['verify', from, to])).toMatchObject({ code: 0 });
});

test('a plan that cannot be made leaves the file as it was, and nothing beside it', async () => {
  await make();
  const before = await readFile(plan, 'utf8');
  await withStore(to, (store) => store.create('keyspaces/other/Keyspace', new Uint8Array()));
  expect(await make()).toMatchObject({ code: 4, err: expect.stringContaining('keyspaces/other') });
  expect(await readFile(plan, 'utf8')).toBe(before);
  await rm(plan);
  expect(await make()).toMatchObject({ code: 4 });
  expect(await readdir(folder)).toEqual([]);
});

test('nothing is written once a record moved on either side, and it is named', async () => {
  await make();
  await withStore(source('zone1'), (store) => store.update('SrvVSchema', new Uint8Array(), null));
  expect(await cli(['copy', '--plan', plan])).toMatchObject({
    code: 4,
    err: expect.stringMatching(/moved since the plan was made, in zone1.*SrvVSchema/),
  });
  await make();
  await withStore(to, (store) => store.create('metadata/new', Buffer.from('x')));
  expect((await cli(['copy', '--plan', plan, '--allow-extra'])).err).toMatch(/moved since.*metadata\/new/);
  expect([...(await contents(to)).keys()]).toEqual(['metadata/new']);
});

test('a plan that was carried out in part goes on with the journal, and not without', async () => {
  // The store is known by its first record, which stays.
  await withStore(to, (store) => store.create('metadata/owner', Buffer.from('x')));
  await withStore(to, (store) => store.create('zz/old', Buffer.from('x')));
  await make('--delete', '--max-delete', '1');
  const whole = ['copy', '--plan', plan, '--max-delete', '1'];
  const journal = await killedJournal();
  await withStore(to, (store) => store.delete('zz/old', null));
  expect(await cli(whole)).toMatchObject({ code: 4, err: expect.stringContaining('moved since') });
  expect(await cli([...whole, '--journal', journal, '--resume'])).toMatchObject({ code: 0, err: '' });
  expect(await cli(['verify', from, to])).toMatchObject({ code: 0 });
});

test('a plan that was carried out in part stops all the same where the source moved', async () => {
  await make();
  const journal = await killedJournal();
  await withStore(source('zone1'), (store) => store.update('SrvVSchema', new Uint8Array(), null));
  expect(await cli(['copy', '--plan', plan, '--journal', journal, '--resume'])).toMatchObject({
    code: 4,
    err: expect.stringMatching(/moved since the plan was made, in zone1.*SrvVSchema/),
  });
});

test('the command that carries a plan out has the flags that it needs', async () => {
  await withStore(to, (store) => store.create('metadata/old', Buffer.from('x')));
  const { out } = await make('--delete', '--max-delete', '1', '--allow-locks');
  expect(out).toContain(`topo2topo copy --plan ${plan} --allow-locks --max-delete 1`);
  expect(await cli(['copy', '--plan', plan, '--allow-locks', '--max-delete', '1'])).toMatchObject({
    code: 0,
  });
});

test.runIf(existsSync('/dev/full'))('a plan that the disk has no room for is none', async () => {
  expect(await cli(['plan', from, to, '--to-cell-root', '/vitess/{cell}', '-o', '/dev/full'])).toMatchObject({
    code: 4,
    err: expect.stringContaining('/dev/full cannot be written: ENOSPC'),
  });
});

test('a plan replaces no file that is none, and what has no lines is no plan', async () => {
  const journal = await killedJournal();
  const before = await readFile(journal, 'utf8');
  const args = ['plan', from, to, '--to-cell-root', '/vitess/{cell}', '-o'];
  expect(await cli([...args, journal])).toMatchObject({
    code: 2,
    err: expect.stringContaining('is there, and is no plan: it is not replaced'),
  });
  expect(await readFile(journal, 'utf8')).toBe(before);
  await make();
  expect((await make()).code).toBe(0);
  expect(await cli(['copy', '--plan', '/dev/zero'])).toMatchObject({
    code: 2,
    err: expect.stringContaining('the file /dev/zero has no lines'),
  });
});

test('a plan is not carried out under another root, where there was nothing yet', async () => {
  await make();
  const other = to.replace('/vitess/global', '/other/global');
  expect(await cli(['copy', '--plan', plan, '--to', other])).toMatchObject({
    code: 4,
    err: expect.stringMatching(
      /another destination: its root is \/vitess\/global, and this one is \/other\/global/,
    ),
  });
  expect((await contents(other)).size).toBe(0);
  expect((await cli(['copy', '--plan', plan, '--to', to])).code).toBe(0);
});

test('a record that vanished at the end of a part is missed, too', async () => {
  await make();
  await withStore(source('global'), (store) => store.delete('metadata/owner', null));
  expect((await cli(['copy', '--plan', plan])).err).toMatch(/moved since.*metadata\/owner/);
});

test('a plan that was cut, changed, or is none is refused', async () => {
  await make();
  const whole = await lines();
  for (const [text, message] of [
    [whole.slice(0, -1).join('\n'), /not whole/],
    [whole.slice(0, 4).concat(whole.slice(5)).join('\n'), /not whole/],
    ['no plan', /no plan, from line 1 on: it is not JSON/],
    [[...whole.slice(0, 3), '{"type":"record"}'].join('\n'), /from line 4 on: it is not as schema/],
  ] as const) {
    await writeFile(plan, text);
    expect(await cli(['copy', '--plan', plan])).toMatchObject({
      code: 2,
      err: expect.stringMatching(message),
    });
  }
  expect((await cli(['copy', '--plan', join(folder, 'none')])).err).toMatch(/cannot be read: ENOENT/);
  expect((await contents(to)).size).toBe(0);
});

test('what a plan says cannot be said again', async () => {
  await make('--kinds', 'Keyspace,Shard');
  expect((await cli(['copy', '--plan', plan, '--kinds', 'Tablet'])).err).toMatch(
    /--kinds and --plan exclude/,
  );
  expect((await cli(['copy', '--plan', plan])).code).toBe(0);
  expect([...(await contents(to)).keys()].every((path) => /(Keyspace|Shard)$/.test(path))).toBe(true);
});

test('for programs a plan is the document of a dry run', async () => {
  const document = await cliJson(['plan', from, to, '--to-cell-root', '/vitess/{cell}']);
  expect(document).toMatchObject({ command: 'plan', dryRun: true, written: 0 });
});

describe('stores that are not those of the plan are refused before anything else,', () => {
  test('whatever they are called', async () => {
    await withStore(to, (store) => store.create('metadata/ours', Buffer.from('x')));
    await make('--allow-extra');
    await withStore(`${to}2`, (store) => store.create('metadata/ours', Buffer.from('x')));
    const other = await cli(['copy', '--plan', plan, '--to', `${to}2`, '--allow-extra']);
    expect(other).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /the plan is for another store, or .*made anew since: its destination, global, is memory etcd/,
      ),
    });
    expect([...(await contents(`${to}2`)).keys()]).toEqual(['metadata/ours']);
  });

  test('or that whose only record somebody made anew: no more is known of it', async () => {
    await withStore(to, (store) => store.create('metadata/ours', Buffer.from('x')));
    await make('--allow-extra');
    await withStore(to, async (store) => {
      await store.delete('metadata/ours', null);
      await store.create('metadata/ours', Buffer.from('x'));
    });
    expect(await cli(['copy', '--plan', plan, '--allow-extra'])).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /one whose record metadata\/ours was deleted or made anew since: its destination, global/,
      ),
    });
    expect([...(await contents(to)).keys()]).toEqual(['metadata/ours']);
  });

  test('and so is one that was made anew', async () => {
    await make();
    await withStore(source('zone2'), async (store) => {
      for (const [path, bytes] of await contents(source('zone2'))) {
        await store.delete(path, null);
        await store.create(path, bytes);
      }
    });
    expect(await cli(['copy', '--plan', plan])).toMatchObject({
      code: 4,
      err: expect.stringMatching(/for another store, or .*: its source, zone2/),
    });
    expect((await contents(to)).size).toBe(0);
  });

  test('and a plan that does not say which they are is refused', async () => {
    await make();
    const [head = '', ...rest] = await lines();
    await writeFile(plan, [JSON.stringify({ ...JSON.parse(head), identities: {} }), ...rest, ''].join('\n'));
    expect((await cli(['copy', '--plan', plan])).err).toMatch(
      /the plan does not say which store is its source/,
    );
  });
});

test('a journal is refused for another source, and for a destination that an interrupted run was not about', async () => {
  const journal = join(folder, 'journal');
  const copy = (...more: string[]) =>
    cli(['copy', from, to, '--to-cell-root', '/vitess/{cell}', '--journal', journal, ...more]);
  expect(await copy()).toMatchObject({ code: 0 });
  const [head = ''] = (await readFile(journal, 'utf8')).split('\n');
  const { identities } = JSON.parse(head);
  expect(Object.keys(identities).sort()).toEqual(
    ['from', 'to'].flatMap((side) => ['global', 'zone1', 'zone2'].map((scope) => `${side}:${scope}`)),
  );
  await writeFile(
    journal,
    `${JSON.stringify({ ...JSON.parse(head), identities: { ...identities, 'from:zone1': 'another' } })}\n`,
  );
  expect(await copy()).toMatchObject({
    code: 4,
    err: expect.stringMatching(/the journal is for another store: its source, zone1, is another/),
  });
});

describe('the destination of an interrupted copy', () => {
  const THEIRS = 'metadata/theirs';
  let journal: string;
  const copy = (...more: string[]) =>
    cli([
      ...['copy', from, to, '--to-cell-root', '/vitess/{cell}', '--allow-extra', '--journal', journal],
      ...more,
    ]);
  /** Leaves of the journal of a finished run what an interrupted one had noted. */
  const interrupt = async (isNoted: (line: { type: string; scope: string }) => boolean) => {
    const noted = (await readFile(journal, 'utf8')).trim().split('\n');
    const kept = noted.filter((line) => JSON.parse(line).type !== 'done' && isNoted(JSON.parse(line)));
    expect(kept.length).toBeLessThan(noted.length);
    await writeFile(journal, `${kept.join('\n')}\n`);
  };
  const makeAnew = (paths: Iterable<string>) =>
    withStore(to, async (store) => {
      for (const path of paths) {
        const { bytes } = await store.get(path);
        await store.delete(path, null);
        await store.create(path, bytes);
      }
    });
  beforeEach(async () => {
    journal = join(folder, 'journal');
    // The first record of the destination, so that its identity is told by it.
    await withStore(to, (store) => store.create(THEIRS, Buffer.from('x')));
    expect(await copy()).toMatchObject({ code: 0 });
  });

  test('is known by the copy’s own records, when somebody else made anew what was there before', async () => {
    await interrupt(() => true);
    await makeAnew([THEIRS]);
    expect(await copy('--resume')).toMatchObject({ code: 0, err: '' });
    expect((await contents(to)).has(THEIRS)).toBe(true);
  });

  test('cannot be told, and is not refused, where no write of the copy was acknowledged', async () => {
    await interrupt(({ type, scope }) => scope !== 'global' || type !== 'witness');
    await withStore(to, async (store) => {
      for (const path of (await contents(to)).keys()) if (path !== THEIRS) await store.delete(path, null);
    });
    await makeAnew([THEIRS]);
    expect(await copy('--resume')).toMatchObject({ code: 0, err: '' });
  });

  test('is told by the records of the source that were there, where no write of the copy was acknowledged', async () => {
    const OWNER = 'metadata/owner';
    const put = () => withStore(to, (store) => store.create(OWNER, Buffer.from('old')));
    const clear = () =>
      withStore(to, async (store) => {
        for (const path of (await contents(to)).keys()) await store.delete(path, null);
      });
    await clear();
    await put();
    journal = join(folder, 'other-journal');
    expect(await copy()).toMatchObject({ code: 0 });
    await interrupt(({ type }) => type === 'journal' || type === 'found');
    await clear();
    const foreign = { code: 4, err: expect.stringMatching(/somebody else changed.*metadata\/owner/) };
    expect(await copy('--resume')).toMatchObject(foreign);
    await put();
    expect(await copy('--resume')).toMatchObject(foreign);
    expect([...(await contents(to)).keys()]).toEqual([OWNER]);
  });

  test('is another one, when all of it was made anew', async () => {
    await interrupt(() => true);
    await makeAnew((await contents(to)).keys());
    expect(await copy('--resume')).toMatchObject({
      code: 4,
      err: expect.stringMatching(
        /the journal is for another store, or .*: its destination, global.*\n.*another file for --journal/,
      ),
    });
  });
});
