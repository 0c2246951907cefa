import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import { TopologyError } from '../../src/topo/errors.js';
import type { LockEntry } from '../../src/topo/locks.js';
import { eventually, failure, must } from '../conformance/tools.js';
import { openFile, startProcess, temporaryFiles, texts } from './file-tools.js';

const temporary = temporaryFiles();

/** A file with a directory `d` in its global part, opened. */
async function withDirectory(name: string): Promise<{ file: string; connection: Connection }> {
  const file = temporary(name);
  const connection = await openFile(file);
  await connection.create('d/a', Buffer.from('x'));
  return { file, connection };
}

/** The one file of the one lock that is held. */
function lockFileOf(file: string): string {
  const [name, ...others] = readdirSync(`${file}.locks`);
  expect(others).toEqual([]);
  return join(`${file}.locks`, must(name));
}

/** The one lock of `d`. */
async function holder(connection: Connection): Promise<LockEntry> {
  const [entry, ...others] = await connection.lockQueue('d');
  expect(others).toEqual([]);
  return must(entry);
}

describe('locks of a topology file', () => {
  test('another process’s lock keeps this one out, is seen with its contents, and comes here when it is given back', async () => {
    const { file, connection } = await withDirectory('other.topo');
    const other = startProcess('hold', file);
    expect((await other.lines.next()).value).toBe('held');
    expect(await failure(connection.tryLock('d', ''))).toMatchObject({ code: 'NodeExists', path: 'd' });
    const entry = await holder(connection);
    expect(entry).toMatchObject({ contents: 'other process', holds: true, ttlLeftMs: undefined });
    expect(entry.owner).toMatch(new RegExp(`^${other.pid}@`));
    expect(Math.abs(must(entry.since) - Date.now())).toBeLessThan(60_000);
    let got = false;
    const waiting = connection.lock('d', 'own').then((lock) => {
      got = true;
      return lock;
    });
    await (await openFile(file, 'zone1')).close();
    expect(got).toBe(false);
    other.goOn();
    const lock = await waiting;
    expect(await other.ended).toBe(0);
    expect(await holder(connection)).toMatchObject({
      contents: 'own',
      owner: expect.stringContaining(`${process.pid}@`),
    });
    await lock.unlock();
    expect(await connection.lockQueue('d')).toEqual([]);
    await connection.close();
  });

  test('a lock is over when its process is, however it ended', async () => {
    const { file, connection } = await withDirectory('dead.topo');
    const other = startProcess('hold', file);
    expect((await other.lines.next()).value).toBe('held');
    const waiting = connection.lock('d', 'own');
    other.kill();
    expect(await other.ended).toBe('SIGKILL');
    const lock = await waiting;
    await lock.unlock();
    expect(existsSync(`${file}.locks`)).toBe(false);

    const another = startProcess('hold', file);
    expect((await another.lines.next()).value).toBe('held');
    another.kill();
    await another.ended;
    expect(await connection.lockQueue('d')).toEqual([]);
    await (await connection.tryLock('d', '')).unlock();
    await connection.close();
  });

  test('a lock is over when the process that was giving it back, or breaking it, dies in the middle', async () => {
    const { file, connection } = await withDirectory('middle.topo');
    const other = startProcess('hold', file);
    expect((await other.lines.next()).value).toBe('held');
    const name = lockFileOf(file);
    const text = readFileSync(name, 'utf8');
    other.kill();
    await other.ended;
    // What whoever removes a mark makes first.
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
    writeFileSync(`${name}.${digest}`, text);
    const locks = await Promise.all(
      Array.from({ length: 10 }, () => connection.tryLock('d', '').catch(() => undefined)),
    );
    expect(locks.filter((lock) => lock !== undefined)).toHaveLength(1);
    for (const lock of locks) await lock?.unlock();
    expect(existsSync(`${file}.locks`)).toBe(false);
    await connection.close();
  });

  test('processes that contend never hold a lock together', async () => {
    const { file, connection } = await withDirectory('contended.topo');
    writeFileSync(`${file}.number`, '0');
    const processes = [1, 2, 3].map(() => startProcess('guarded', file, '20'));
    expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    expect(readFileSync(`${file}.number`, 'utf8')).toBe('60');
    expect(existsSync(`${file}.locks`)).toBe(false);
    await connection.close();
  }, 60_000);

  test('a lock leaves the topology file as it is', async () => {
    const { file, connection } = await withDirectory('bytes.topo');
    const before = readFileSync(file);
    const position = await connection.position();
    const locks = [
      await connection.lock('d', 'contents'),
      await connection.lockName('d', ''),
      await connection.campaign('e', 'id'),
    ];
    expect(await texts(connection)).toEqual({ 'd/a': 'x' });
    expect(await connection.listDir('')).toEqual(['d']);
    for (const lock of locks) await lock.unlock();
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(await connection.position()).toBe(position);
    expect(existsSync(`${file}.locks`)).toBe(false);
    await connection.close();
  });

  test('the parts of a file have locks of their own', async () => {
    const { file, connection } = await withDirectory('parts.topo');
    const zone = await openFile(file, 'zone1');
    await zone.create('d/a', Buffer.from('x'));
    const locks = [await connection.tryLock('d', 'global'), await zone.tryLock('d', 'zone1')];
    expect((await holder(zone)).contents).toBe('zone1');
    for (const lock of locks) await lock.unlock();
    await zone.close();
    await connection.close();
  });

  test('a lock whose file is removed by hand is lost, and takes nothing from the next holder', async () => {
    const { file, connection } = await withDirectory('removed.topo');
    const lock = await connection.lock('d', 'first');
    rmSync(lockFileOf(file));
    expect(await failure(lock.check())).toMatchObject({ code: 'LockLost', path: 'd' });
    const second = await connection.lock('d', 'second');
    expect(await failure(lock.unlock())).toMatchObject({ code: 'LockLost', path: 'd' });
    await second.check();
    rmSync(lockFileOf(file));
    await eventually('the loss', async () => second.lost.aborted);
    expect(second.lost.reason).toMatchObject({ code: 'LockLost', path: 'd' });
    expect(second.lost.reason.message).toContain('removed');
    await connection.close();
  });

  test('a lock is broken by deleting its entry in the state that was seen', async () => {
    const { connection } = await withDirectory('broken.topo');
    const first = await connection.lock('d', 'first');
    const seen = await holder(connection);
    expect(first.entry).toBe(seen.path);
    await first.unlock();
    expect(await failure(connection.delete(seen.path, seen.version))).toMatchObject({
      code: 'NoNode',
      path: seen.path,
    });
    const second = await connection.lock('d', 'second');
    expect(await failure(connection.delete(seen.path, seen.version))).toMatchObject({ code: 'BadVersion' });
    await second.check();
    const now = await holder(connection);
    expect(await failure(connection.delete('d/a', now.version))).toMatchObject({
      code: 'NoNode',
      path: 'd/a',
    });
    await connection.delete(now.path, now.version);
    await eventually('the loss', async () => second.lost.aborted);
    await (await connection.tryLock('d', 'third')).unlock();
    await connection.close();
  });

  test('locks of another host, and what cannot be read, stay until they are broken', async () => {
    const { file, connection } = await withDirectory('foreign.topo');
    const lock = await connection.lock('d', 'own');
    const name = lockFileOf(file);
    const made: object = JSON.parse(readFileSync(name, 'utf8'));
    await lock.unlock();
    const other = await connection.lockName('n', 'keeps the folder');
    for (const [text, owner] of [
      [JSON.stringify({ ...made, host: 'elsewhere', contents: 'foreign' }), `${process.pid}@elsewhere`],
      ['half a li', undefined],
    ] as const) {
      writeFileSync(name, text);
      const entry = await holder(connection);
      expect(entry).toMatchObject({ holds: true, owner });
      expect(await failure(connection.tryLock('d', ''))).toMatchObject({ code: 'NodeExists' });
      await connection.delete(entry.path, entry.version);
      expect(await connection.lockQueue('d')).toEqual([]);
    }
    await other.unlock();
    await connection.close();
  });

  test('an election is held between processes, and who follows it is told', async () => {
    const { file, connection } = await withDirectory('election.topo');
    const told: (string | undefined)[] = [];
    const following = failure(
      (async () => {
        for await (const { id } of connection.watchLeader('e')) told.push(id);
      })(),
    );
    const tell = (id: string | undefined) =>
      eventually(`${id} leads`, async () => told.length > 0 && told.at(-1) === id);
    await tell(undefined);
    const other = startProcess('lead', file);
    expect((await other.lines.next()).value).toBe('leads');
    await tell(`process ${other.pid}`);
    expect(await connection.leader('e')).toBe(`process ${other.pid}`);
    const leading = connection.campaign('e', 'own');
    other.kill();
    const lock = await leading;
    await tell('own');
    await lock.unlock();
    await tell(undefined);
    expect(await connection.leader('e')).toBeUndefined();
    await connection.close();
    expect(await following).toBeInstanceOf(TopologyError);
    expect(await following).toMatchObject({ code: 'Interrupted' });
  });
});
