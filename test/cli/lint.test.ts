import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Change, Planted, tablet } from '../lint/planted.js';
import { cli, cliJson } from '../support/cli.js';

let planted: Planted;
beforeEach(async () => {
  planted = await Planted.correct();
});
afterEach(() => planted.close());

const run = (...more: string[]) => cli(['lint', planted.address, ...more]);
const stray: Change = ['global:custom/x', Buffer.from('x')];
const lost = (uid: number) =>
  tablet(`zone1:tablets/zone1-${String(uid).padStart(10, '0')}/Tablet`, { keyspace: 'gone', shard: '0' });

test('nothing to find', async () => {
  const { code, out, err } = await run();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(
    `lint ${planted.address}, as Vitess 24 reads it\nnothing found in 70 records of 3 stores\n`,
  );
});

test('a finding says what, why and what to do, the worst first', async () => {
  await planted.change([stray, lost(900)]);
  const { code, out } = await run();
  expect(code).toBe(1);
  expect(out.split('\n').slice(1)).toEqual([
    'error tablet-shard-gone zone1 tablets/zone1-0000000900/Tablet: there is no shard gone/0',
    '     nobody routes to it; when it starts, it makes the shard',
    `     → if it is not needed: topo2topo vtctl ${planted.address} DeleteTablet zone1-0000000900; else topo2topo vtctl ${planted.address} CreateShard gone/0`,
    'note unknown-file global custom/x: no file of Vitess',
    '     no process of Vitess reads it; a copy carries it over',
    `     → find out whose it is; if nobody’s: topo2topo rm ${planted.address} global:custom/x`,
    '1 error, 1 note in 72 records of 3 stores',
    '',
  ]);
});

test('--fail-on and --ignore decide the exit code, and what is ignored is listed', async () => {
  await planted.change([stray]);
  expect((await run()).code).toBe(0);
  expect((await run('--fail-on', 'note')).code).toBe(1);
  await planted.change([lost(900)]);
  expect((await run('--fail-on', 'error')).code).toBe(1);
  const ignoring = await run('--ignore', 'tablet-shard-gone', '--ignore', 'blank-hostname');
  expect(ignoring.code).toBe(0);
  expect(ignoring.out).toContain(
    'ignored, as asked: 1\n    tablet-shard-gone zone1:tablets/zone1-0000000900/Tablet: there is no shard gone/0\n1 note, 1 ignored in',
  );
  expect(await run('--ignore', 'tablet-shard')).toMatchObject({
    code: 2,
    err: expect.stringContaining('did you mean tablet-shard-gone'),
  });
});

test('--output json follows its schema', async () => {
  await planted.change([stray, lost(900), lost(901)]);
  const document = await cliJson(
    ['lint', planted.address, '--ignore', 'unknown-file', '--limit', '1', '--cells', 'zone1'],
    [1],
  );
  const schema = JSON.parse(readFileSync('schema/lint.schema.json', 'utf8'));
  const validate = new Ajv2020().compile(schema);
  expect(validate(document), JSON.stringify(validate.errors)).toBe(true);
  expect(document).toMatchObject({
    fails: true,
    counts: { error: 2, warn: 0, note: 0, ignored: 1 },
    ids: { 'tablet-shard-gone': 2, 'unknown-file': 1 },
    more: { 'tablet-shard-gone': 1 },
    findings: [{ id: 'tablet-shard-gone' }],
    ignored: [{ id: 'unknown-file' }],
    stores: [{ scope: 'global' }, { scope: 'zone1', isRead: true }],
  });
});

test('--output jsonl has a line for each finding, whatever the limit, and the sum at the end', async () => {
  await planted.change([stray, lost(900), lost(901)]);
  const { code, out } = await run('--output', 'jsonl', '--limit', '1', '--ignore', 'unknown-file');
  expect(code).toBe(1);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ line, id }) => [line, id])).toEqual([
    ['ignored', 'unknown-file'],
    ['finding', 'tablet-shard-gone'],
    ['finding', 'tablet-shard-gone'],
    ['verdict', undefined],
  ]);
  expect(lines.at(-1)).toMatchObject({ fails: true, counts: { error: 2 } });
});

test('--limit says how many more there are', async () => {
  await planted.change([lost(900), lost(901), lost(902)]);
  expect((await run('--limit', '1')).out).toContain('and 2 more of tablet-shard-gone (--limit');
});

test('--target-version is the version that reads it', async () => {
  await planted.change([['global:keyspaces/my.shop/VSchema', {}]]);
  const older = await run('--target-version', '16', '--ignore', 'keyspace-without-record');
  expect(older.out).toMatch(/as Vitess 16 reads it\n(?:.|\n)*note illegal-name/);
  expect((await run()).out).toMatch(/error illegal-name/);
});

test('what makes no sense is refused before anything is read', async () => {
  for (const wrong of [
    ['--target-version', '99'],
    ['--fail-on', 'never'],
    ['--lock-age', 'soon'],
    ['--limit', '0'],
    ['--cells', 'zone1,'],
    ['--cells', 'zone9'],
    ['another'],
  ])
    expect(await run(...wrong)).toMatchObject({ code: 2 });
  const flags = [
    '--topo-implementation',
    'memory',
    '--topo-global-server-address',
    planted.server,
    '--topo-global-root',
    '/vitess/global',
  ];
  expect(await cli(['lint', ...flags])).toMatchObject({ code: 0 });
  expect(await cli(['lint', ...flags, 'another'])).toMatchObject({ code: 2 });
});
