import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { planning } from '../../src/cli/copying.js';
import { exitCodeOf } from '../../src/cli/exit.js';
import { allSentences, errorJson, errorText, StoppedCopy } from '../../src/cli/failure.js';
import type { Io } from '../../src/cli/io.js';
import { json, jsonLine, processIo } from '../../src/cli/io.js';
import { Refused } from '../../src/copy/stop.js';
import { ErrorCode, TopologyError } from '../../src/topo/errors.js';
import { cli, cliJson } from '../support/cli.js';
import { withStore } from '../support/topologies.js';
import { until } from '../support/until.js';
import { emptyStore, plantSample } from './sample.js';

const CELLS = ['--to-cell-root', '/vitess/{cell}'];
let from: string;

beforeAll(async () => {
  ({ from } = await plantSample());
});

test('one line about a failure has what each guard says', () => {
  const objection = { about: ['a'], hint: 'h', overruled: false } as const;
  const refused = new Refused([
    { ...objection, guard: 'shrunk', what: 'the first' },
    { ...objection, guard: 'extra', what: 'the second' },
  ]);
  expect(allSentences(refused)).toBe('the first: a; the second: a');
  expect(allSentences(new StoppedCopy(refused, 1, 2, ''))).toBe('the first: a; the second: a');
  expect(allSentences(new Error('one'))).toBe('one');
});

test('JSON for programs has bytes as base64, a Buffer’s, too', () => {
  const given = {
    a: Buffer.from([255]),
    b: Uint8Array.of(1, 2),
    c: [Buffer.alloc(0)],
    d: 7n,
    e: new Map([['x', Buffer.from('y')]]),
  };
  const expected = { a: '/w==', b: 'AQI=', c: [''], d: '7', e: { x: 'eQ==' } };
  expect(JSON.parse(json(given))).toEqual(expected);
  expect(jsonLine(given)).toBe(JSON.stringify(expected));
});

describe('--output json is one document', () => {
  test('of a copy with its verification inside', async () => {
    const { to } = emptyStore();
    expect(await cliJson(['copy', from, to, ...CELLS, '--verify'])).toMatchObject({
      command: 'copy',
      written: 72,
      verification: { command: 'verify', equal: true },
    });
  });

  test('and the exit code is the verification’s', async () => {
    const { to } = emptyStore();
    await cli(['copy', from, to, ...CELLS]);
    await withStore(to, (store) => store.create('metadata/other', Uint8Array.from([1])));
    const args = ['copy', from, to, '--verify', '--allow-extra'];
    expect(await cliJson(args, [1])).toMatchObject({ written: 0, verification: { equal: false } });
  });

  test('of an error, too', async () => {
    const { to } = emptyStore();
    const args = ['copy', from, to, '--output', 'json', '--output', 'json'];
    const { code, out } = await cli(args);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'Usage' } });
  });
});

describe('records that only the destination has', () => {
  test('stop a copy, unless they are allowed', async () => {
    const { to } = emptyStore();
    await withStore(to, (store) => store.create('keyspaces/other/Keyspace', new Uint8Array()));
    expect(await cli(['copy', from, to, ...CELLS])).toMatchObject({
      code: 4,
      err: expect.stringContaining('--allow-extra'),
    });
    const { code, out } = await cli(['copy', from, to, ...CELLS, '--allow-extra']);
    expect(code).toBe(0);
    expect(out).toMatch(/only in the destination, left alone: 1\n.*keyspaces\/other/);
  });
});

describe('a copy that is done says what to do next', () => {
  test('compare, and how Vitess comes to use it', async () => {
    const { to } = emptyStore();
    const { out } = await cli(['copy', from, to, ...CELLS]);
    expect(out).toMatch(
      /next:\n {2}- compare both sides with topo2topo verify .*\n {2}- Vitess uses the source/,
    );
    const again = await cliJson(['copy', from, to, '--verify']);
    expect(again).toMatchObject({ next: [expect.stringContaining('docs/freeze.md')] });
  });

  test('of one keyspace: that no cell is there yet, or what it leaves out for a cluster that is', async () => {
    const { to } = emptyStore();
    const part = ['copy', from, to, ...CELLS, '--keyspace', 'commerce', '--verify'];
    expect(await cliJson(part)).toMatchObject({ next: [expect.stringContaining('CellInfo with it')] });
    const kinds = ['copy', from, to, ...CELLS, '--kinds', 'Keyspace'];
    expect(await cliJson(kinds)).toMatchObject({
      next: [expect.stringContaining('CellInfo with it'), expect.stringContaining('topo2topo verify')],
    });
    await cli(['copy', from, to, ...CELLS]);
    expect(await cliJson(part)).toMatchObject({
      next: [expect.stringMatching(/SrvVSchema.*topo2topo graph rebuild/)],
    });
    expect((await cli(['graph', 'rebuild', to])).code).toBe(0);
    const cell = ['copy', from, to, '--cells', 'zone1', '--verify', '--allow-extra'];
    expect(await cliJson(cell, [0, 1])).toMatchObject({ next: [] });
    const alone = ['copy', from, emptyStore().to, ...CELLS, '--cells', 'zone1', '--verify'];
    expect(await cliJson(alone)).toMatchObject({ next: [expect.stringContaining('--cells global')] });
    const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    const file = `file:${folder}/part.topo`;
    const intoFile = ['copy', from, file, '--keyspace', 'commerce', '--verify'];
    expect(await cliJson(intoFile)).toMatchObject({ next: [] });
    // What it holds can be copied on: a file’s cells are those of which it has a CellInfo.
    const { to: other } = emptyStore();
    const on = ['copy', file, other, ...CELLS, '--keyspace', 'commerce', '--verify'];
    expect(await cliJson(on)).toMatchObject({ written: 11, verification: { equal: true } });
    await rm(folder, { recursive: true });
  });

  test('make what was left out', async () => {
    const { to } = emptyStore();
    await cli(['copy', from, to, ...CELLS, '--kinds', 'CellInfo', '--allow-empty-cells']);
    const { out } = await cli(['copy', from, to, '--kinds', 'Keyspace,Tablet', '--allow-extra']);
    expect(out).toContain(`topo2topo graph rebuild ${to}`);
    expect(out).toContain('copy ShardReplication, too');
  });
});

describe('a copy that stops', () => {
  test('says how far it got', async () => {
    const { to } = emptyStore();
    const abort = new AbortController();
    const watch = { signal: abort.signal, onOut: () => abort.abort() };
    const { code, err } = await cli(['copy', from, to, ...CELLS], {}, watch);
    expect(code).toBe(5);
    expect(err).toMatch(/stopped: \d+ of 72 records were written; run the copy again to go on/);
  });

  test('goes on by its journal', async () => {
    const { to } = emptyStore();
    const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
    try {
      const abort = new AbortController();
      const journal = join(folder, 'journal');
      const args = ['copy', from, to, ...CELLS, '--journal', journal];
      const running = cli([...args, '--rate', '20'], {}, { signal: abort.signal });
      await until('the first write', () =>
        readFile(journal, 'utf8').then(
          (text) => text.includes('"writing"'),
          () => false,
        ),
      );
      abort.abort();
      expect((await running).err).toMatch(
        /stopped: \d+ of 72 records were written; to go on: the same command with --resume/,
      );
      expect((await cli([...args, '--resume'])).code).toBe(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('before it wrote anything says so', async () => {
    const interrupted = new TopologyError(ErrorCode.Interrupted, 'interrupted');
    await expect(planning(Promise.reject(interrupted))).rejects.toMatchObject({
      code: 'Interrupted',
      hint: 'nothing was written yet: run the command again',
    });
  });

  test('says so to programs', () => {
    const error = new StoppedCopy(new TopologyError(ErrorCode.Guard, 'changed'), 3, 5);
    expect(JSON.parse(errorJson(error))).toMatchObject({
      error: { code: 'Guard' },
      written: 3,
      toWrite: 5,
      next: ['run the copy again to go on'],
    });
  });
});

describe('errors that are none of ours', () => {
  const io: Io = { ...processIo(), env: {} };

  test('are Internal, in one line, without a stack', () => {
    const error = new Error('some\nthing');
    expect(errorText(io, error)).toContain('some thing [Internal]');
    expect(errorText(io, error)).not.toContain('    at ');
    expect(JSON.parse(errorJson(error))).toMatchObject({
      error: { code: 'Internal', message: 'some thing' },
    });
    expect(exitCodeOf(error)).toBe(5);
  });

  test('show no control characters of names that they quote', () => {
    const error = new TopologyError(ErrorCode.NoNode, 'no', {
      path: 'a\u001b[2J',
      hint: 'it has \u001b[31mred',
    });
    expect(errorText(io, error)).toMatch(/path a\\u001b\[2J\).*\n.*it has \\u001b\[31mred$/);
  });

  test('show their stack for debugging', () => {
    expect(errorText({ ...io, env: { TOPO2TOPO_DEBUG: '1' } }, new Error('x'))).toContain('    at ');
  });
});

describe('tree', () => {
  test('of nothing, of a record and of an empty root says so and exits with 3', async () => {
    const { to } = emptyStore();
    for (const args of [[from, 'nowhere'], [from, 'metadata/owner'], [to]])
      expect(await cli(['tree', ...args])).toMatchObject({ code: 3, err: expect.stringContaining('NoNode') });
  });

  test('and ls escape control characters in names', async () => {
    const address = `memory://etcd:${randomUUID()}/a`;
    await withStore(address, (store) => store.create('x/\u001b[2Jevil', Uint8Array.from([1])));
    for (const args of [
      ['ls', address, 'x'],
      ['ls', address, 'x', '-l'],
      ['tree', address],
    ]) {
      const { out } = await cli(args);
      expect(out).toContain('\\u001b[2Jevil');
      expect(out).not.toContain('\u001b');
    }
    expect(await cliJson(['ls', address, 'x'])).toMatchObject([{ name: '\u001b[2Jevil' }]);
  });
});

describe('the text of verify', () => {
  test('has a row for every store, and names what was not compared', async () => {
    const { server, from: source } = await plantSample();
    const { to } = emptyStore();
    await cli(['copy', source, to, ...CELLS]);
    await withStore(source, (store) => store.create('keyspaces/commerce/locks/0001', Uint8Array.from([1])));
    await withStore(`memory://${server}/vitess/global`, (store) =>
      store.create('internal/named_locks/x/0001', Uint8Array.from([1])),
    );
    const { out, code } = await cli(['verify', source, to]);
    expect(code).toBe(0);
    for (const scope of ['global', 'zone1', 'zone2']) expect(out).toMatch(new RegExp(`^ {2}${scope} `, 'm'));
    expect(out).toMatch(/not compared, entry of a lock: 2\n.*locks/);
    expect(out).toContain('(own address)');
  });

  test('has a row for a store in which nothing was compared', async () => {
    const { server, from: source } = await plantSample();
    const { to } = emptyStore();
    for (const path of ['SrvVSchema'])
      await withStore(`memory://${server}/vitess/zone1`, (store) => store.delete(path, null));
    const args = ['--from', source, '--to', to, '-do-shards', '-do-shard-replications', ...CELLS];
    await cli(args);
    const { out } = await cli([...args, '-compare', '--to-cell', `zone1=${emptyStore().server},/x`]);
    expect(out).toMatch(/^ {2}zone2 /m);
    expect(out).toMatch(/not compared, kind not asked for/);
  });
});

test('the text of a narrowed copy says which kinds are left out, and how many of each', async () => {
  const { to } = emptyStore();
  const { out } = await cli(['--from', from, '--to', to, ...CELLS, '-do-tablets', '--dry-run']);
  expect(out).toMatch(/only Tablet; left out: .*Shard \(7\)/);
});
