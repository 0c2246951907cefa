import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, utimesSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../src/copy/journal.js';
import { withJournalLock } from '../../src/copy/journal-lock.js';
import { systemClock } from '../../src/topo/clock.js';

let folder: string;
let journal: string;
let lock: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  journal = join(folder, 'copy.journal');
  lock = `${journal}.lock`;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A clock whose hours are as long as a moment. */
const HASTY = {
  now: () => Date.now() * 100,
  schedule: (ms: number, callback: () => void) => systemClock.schedule(ms / 100, callback),
};
const take = <T>(work: () => Promise<T>, clock = systemClock) => withJournalLock(journal, { clock }, work);
const nothing = async () => 'done';
/** A program that takes the lock and keeps it. */
const holding = () => `
  import { withJournalLock } from ${JSON.stringify(join(import.meta.dirname, '../../src/copy/journal-lock.ts'))};
  import { systemClock } from ${JSON.stringify(join(import.meta.dirname, '../../src/topo/clock.ts'))};
  await withJournalLock(${JSON.stringify(journal)}, { clock: systemClock }, async () => {
    console.log('held');
    await new Promise(() => {});
  });`;

test('of two at once the second is refused, and told who has the journal', async () => {
  await take(async () => {
    await expect(take(nothing)).rejects.toMatchObject({
      code: 'Guard',
      message: expect.stringMatching(
        `^the journal ${journal} is in use by process ${process.pid} on ${hostname()}, since \\d{4}-`,
      ),
      hint: expect.stringContaining('each needs a journal of its own'),
    });
  });
  expect(existsSync(lock)).toBe(false);
  await expect(take(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(await take(nothing)).toBe('done');
});

test('what a process that was killed left behind is in nobody’s way', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', holding()]);
  await once(child.stdout, 'data');
  await expect(take(nothing)).rejects.toThrow(`is in use by process ${child.pid} on`);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(lock)).toBe(true);
  expect(await take(nothing)).toBe('done');
  expect(existsSync(lock)).toBe(false);
});

test('where the disk is full nothing is left that would be in somebody’s way when there is room again', async () => {
  const full = ['-c', 'ulimit -f 0 && exec "$0" "$@"', process.execPath, '--import', 'tsx'];
  const child = spawn('/bin/sh', [...full, '--input-type=module', '--eval', holding()]);
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  await once(child, 'close');
  expect(err).toContain(`the file ${journal} cannot be written: EFBIG`);
  expect(await readdir(folder)).toEqual([]);
  expect(await take(nothing)).toBe('done');
});

test('two names of one journal are one journal', async () => {
  const link = join(folder, 'link');
  const linked = join(folder, 'linked');
  await symlink('link', linked);
  await symlink('copy.journal', link);
  await withJournalLock(linked, { clock: systemClock }, async () => {
    await expect(take(nothing)).rejects.toThrow('is in use by process');
  });
  const migration = { from: 'a', to: 'b' };
  const begun = Journal.open(linked, migration);
  begun.begin(false, {});
  begun.close();
  expect(await readlink(linked)).toBe('link');
  expect(await readFile(journal, 'utf8')).toContain('"type":"journal"');
});

test('a holder that cannot be asked for is believed as long as it shows that it lives', async () => {
  const elsewhere = {
    host: 'elsewhere',
    pid: 1,
    processes: '',
    started: 1_767_225_600_000,
    since: '2026-01-01T00:00:00.000Z',
  };
  await writeFile(lock, JSON.stringify(elsewhere));
  const beat = setInterval(() => utimesSync(lock, new Date(), new Date()), 1);
  await expect(take(nothing, HASTY)).rejects.toThrow(/in use by process 1 on elsewhere, since 2026-01-01/);
  clearInterval(beat);
  expect(await take(nothing, HASTY)).toBe('done');
});

test('another process that has the number of a dead one is not taken for it', async () => {
  await take(async () => {
    const mine: object = JSON.parse(await readFile(lock, 'utf8'));
    await writeFile(`${lock}.old`, JSON.stringify({ ...mine, pid: process.ppid }));
  });
  await rename(`${lock}.old`, lock);
  expect(await take(nothing)).toBe('done');
});

test('of many who take over what a dead one left one has it at a time', async () => {
  let [inside, most, done] = [0, 0, 0];
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    // Reading takes turns of the event loop, in which another one could come in.
    for (let reads = 0; reads < 10; reads++) await readFile(lock);
    inside -= 1;
    done += 1;
  };
  for (let round = 0; round < 20; round++) {
    const dead = { host: hostname(), pid: process.pid, processes: '', started: 0 };
    await writeFile(lock, JSON.stringify(dead));
    utimesSync(lock, 0, 0);
    await Promise.allSettled(Array.from({ length: 8 }, () => take(work, HASTY)));
  }
  expect({ most, all: done >= 20 }).toEqual({ most: 1, all: true });
});

test('one that was never written whole is taken over when nobody touches it', async () => {
  await writeFile(lock, '{"host":');
  await take(
    async () => expect(JSON.parse(await readFile(lock, 'utf8'))).toMatchObject({ pid: process.pid }),
    HASTY,
  );
});

test('no file is made beside a device', async () => {
  expect(await withJournalLock('/dev/null', { clock: systemClock }, nothing)).toBe('done');
  expect(existsSync('/dev/null.lock')).toBe(false);
});
