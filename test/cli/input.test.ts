import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAll } from '../../src/cli/input.js';
import { cli } from '../support/cli.js';
import { contents } from '../support/topologies.js';

const never = new AbortController().signal;

describe('standard input', () => {
  test('is refused where a person sits', async () => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true });
    await expect(readAll(terminal, never)).rejects.toMatchObject({ code: 'Usage' });
  });

  test('is read to its end, byte for byte', async () => {
    const pipe = new PassThrough();
    pipe.write(Buffer.from([0, 255]));
    pipe.end(Buffer.from([10]));
    expect(await readAll(pipe, never)).toEqual(Buffer.from([0, 255, 10]));
  });

  test('that does not end is given up with an interrupt', async () => {
    const abort = new AbortController();
    const reading = readAll(new PassThrough(), abort.signal);
    abort.abort();
    await expect(reading).rejects.toMatchObject({ code: 'Interrupted' });
  });

  test('that is larger than any store takes is given up', async () => {
    const pipe = new PassThrough();
    const reading = readAll(pipe, never);
    pipe.end(Buffer.alloc(64 * 2 ** 20 + 1));
    await expect(reading).rejects.toMatchObject({ code: 'TooLarge' });
  });
});

describe('a process', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('takes what is piped into it', { timeout: 60_000 }, async () => {
    const file = `file:${join(folder, 'piped.topo')}`;
    const tool = join(import.meta.dirname, 'tool-process.ts');
    const args = ['--import', 'tsx', tool, 'put', file, 'metadata/owner', '--file', '-'];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin.end('payments\n');
    expect(await ended).toBe(0);
    expect((await contents(file)).get('metadata/owner')?.toString()).toBe('payments\n');
  });

  test('takes a file in place of it', async () => {
    const file = join(folder, 'record');
    await writeFile(file, 'from a file');
    const address = `file:${join(folder, 'filed.topo')}`;
    expect((await cli(['put', address, 'metadata/owner', '--file', file], {}, { input: 'piped' })).code).toBe(
      0,
    );
    expect((await contents(address)).get('metadata/owner')?.toString()).toBe('from a file');
  });
});
