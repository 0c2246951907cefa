import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, relative } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { backend } from '../../src/backends/file/index.js';
import type { Connection } from '../../src/topo/connection.js';
import { ErrorCode } from '../../src/topo/errors.js';
import { ManualClock } from '../support/manual-clock.js';
import {
  openFile,
  startLimitedProcess,
  startProcess,
  temporaryFiles,
  texts,
  withFile,
} from './file-tools.js';

const temporary = temporaryFiles();
const bytes = (text: string) => Buffer.from(text);
const base = (file: string) => readFileSync(file, 'utf8').split('\n').slice(1).join('\n');

/** Waits until `condition` holds; no longer than ten seconds. */
async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`not within ten seconds: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

describe('a file that does not exist', () => {
  test('is an empty topology, and reading does not make it', async () => {
    const file = temporary('absent.topo');
    await withFile(file, 'global', async (connection) => {
      expect(await texts(connection)).toEqual({});
      await expect(connection.get('a')).rejects.toMatchObject({ code: ErrorCode.NoNode });
      await expect(connection.delete('a', null)).rejects.toMatchObject({ code: ErrorCode.NoNode });
    });
    expect(existsSync(file)).toBe(false);
  });

  test('is made by the first write, for its owner alone, and nothing stays beside it', async () => {
    mkdirSync(temporary('made'));
    const file = temporary('made/made.topo');
    await withFile(file, 'global', async (connection) => {
      await connection.create('a', bytes('1'));
      expect(statSync(file).mode & 0o777).toBe(0o600);
      await connection.create('b', bytes('2'));
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(temporary('made'))).toEqual(['made.topo']);
  });
});

describe('the parts of a file', () => {
  test('are the global one and one for each cell, found without a CellInfo', () => {
    const global = { implementation: 'file', server: './x.topo', root: '/global' } as const;
    expect(backend.cellAddress?.(global, 'zone1')).toEqual({ ...global, root: '/zone1' });
    expect(() => backend.cellAddress?.(global, 'global')).toThrow(
      expect.objectContaining({ code: ErrorCode.NoCell }),
    );
  });

  test('do not see one another, whatever their names begin with', async () => {
    const file = temporary('parts.topo');
    const scopes = ['global', 'zone1', 'zone10', 'zone1.a'];
    const all = await Promise.all(scopes.map((scope) => openFile(file, scope)));
    await Promise.all(all.map((connection, i) => connection.create('d/a', bytes(scopes[i] ?? ''))));
    for (const [i, connection] of all.entries())
      expect(await texts(connection)).toEqual({ 'd/a': scopes[i] });
    await all[1]?.delete('d/a', null);
    expect(await Promise.all(all.map(async (one) => Object.keys(await texts(one)).length))).toEqual([
      1, 0, 1, 1,
    ]);
    await Promise.all(all.map((connection) => connection.close()));
    expect(base(file).match(/"scope":"[^"]*"/g)).toEqual([
      '"scope":"global"',
      '"scope":"zone1.a"',
      '"scope":"zone10"',
    ]);
  });

  test('are one file under whatever name it is opened: relative, or through a symbolic link', async () => {
    const file = temporary('real.topo');
    await withFile(file, 'global', (connection) => connection.create('a', bytes('1')));
    symlinkSync(file, temporary('link.topo'));
    const names = [file, relative('.', file), temporary('link.topo')];
    const all = await Promise.all(names.map((name) => openFile(name)));
    const version = await all[0]?.update('a', bytes('2'), null);
    expect(new Set(all.map(({ store }) => store)).size).toBe(1);
    for (const connection of all) expect((await connection.get('a')).version).toEqual(version);
    await Promise.all(all.map((connection) => connection.close()));
    expect(existsSync(file) && readFileSync(temporary('link.topo')).equals(readFileSync(file))).toBe(true);
  });
});

describe('versions and positions', () => {
  test('of records that do not change outlive closing and opening again', async () => {
    const file = temporary('kept.topo');
    const [a, b] = await withFile(file, 'global', async (connection) => [
      await connection.create('a', bytes('1')),
      await connection.create('b', bytes('1')),
    ]);
    const position = await withFile(file, 'global', async (connection) => {
      await connection.update('b', bytes('2'), b ?? null);
      return connection.position();
    });
    await withFile(file, 'global', async (connection) => {
      expect((await connection.get('a')).version).toEqual(a);
      expect(await connection.position()).toBe(position);
      await connection.update('a', bytes('2'), a ?? null);
      expect(await connection.position()).toBe(position + 1n);
    });
  });

  test('tell a record that was changed and changed back, or made again, also after opening again', async () => {
    const file = temporary('aba.topo');
    const again = <T>(work: (connection: Connection) => Promise<T>) => withFile(file, 'global', work);
    const first = await again((connection) => connection.create('a', bytes('A')));
    await again((connection) => connection.update('a', bytes('B'), first));
    await again((connection) => connection.update('a', bytes('A'), null));
    await again(async (connection) => {
      await expect(connection.update('a', bytes('C'), first)).rejects.toMatchObject({
        code: ErrorCode.BadVersion,
      });
    });
    const { version } = await again((connection) => connection.get('a'));
    await again((connection) => connection.delete('a', version));
    await again((connection) => connection.create('a', bytes('A')));
    await again(async (connection) => {
      await expect(connection.delete('a', version)).rejects.toMatchObject({ code: ErrorCode.BadVersion });
    });
  });

  test('go on when an older form of the file takes its place: no position falls, no older version fits', async () => {
    const file = temporary('replaced.topo');
    await withFile(file, 'global', (connection) => connection.create('a', bytes('old')));
    copyFileSync(file, `${file}.backup`);
    const connection = await openFile(file);
    for (let i = 0; i < 5; i++) await connection.update('a', bytes(String(i)), null);
    const { version } = await connection.get('a');
    const position = await connection.position();
    renameSync(`${file}.backup`, file);
    expect(await connection.position()).toBeGreaterThan(position);
    expect(await texts(connection)).toEqual({ a: 'old' });
    await expect(connection.update('a', bytes('x'), version)).rejects.toMatchObject({
      code: ErrorCode.BadVersion,
    });
    rmSync(file);
    expect(await texts(connection)).toEqual({});
    expect(await connection.position()).toBeGreaterThan(position + 1n);
    await connection.close();
  });
});

describe('writing', () => {
  test('20,000 records in batches costs a fixed number of bytes for each, not a rewrite for each batch', async () => {
    const written = () => Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
    const file = temporary('linear.topo');
    const connection = await openFile(file, 'zone1');
    const start = existsSync('/proc/self/io') ? written() : 0;
    const forms = new Set<number>();
    for (let batch = 0; batch < 80; batch++) {
      await connection.write(
        Array.from({ length: 250 }, (_, i) => ({
          type: 'create',
          path: `tablets/zone1-${String(batch * 250 + i).padStart(10, '0')}/Other`,
          bytes: Buffer.alloc(200, batch),
        })),
      );
      forms.add(statSync(file).ino);
    }
    expect(forms.size, 'the file was appended to').toBe(1);
    await connection.close();
    if (start > 0) expect(written() - start).toBeLessThan(2.5 * statSync(file).size);
    expect(await withFile(file, 'zone1', async (one) => Object.keys(await texts(one)).length)).toBe(20_000);
  });

  test('many writes at once go to the disk together, each with its own answer', async () => {
    const file = temporary('group.topo');
    const connection = await openFile(file);
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) => connection.create(`d/${i % 150}`, bytes(String(i)))),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(150);
    await connection.close();
    expect(await withFile(file, 'global', async (one) => Object.keys(await texts(one)).length)).toBe(150);
  });

  test('what the disk has no room for fails and leaves nothing, and what it has room for goes on', async () => {
    const file = temporary('full.topo');
    const child = startLimitedProcess(1024, 'full', file);
    expect((await child.lines.next()).value).toBe('3 Unavailable');
    expect(await child.ended).toBe(0);
    const paths = await withFile(file, 'global', async (connection) => Object.keys(await texts(connection)));
    expect(paths).toEqual([
      ...Array.from({ length: 30 }, (_, i) => `${Math.floor(i / 10)}/${i % 10}`),
      'small',
    ]);
  });

  test('a file that was damaged meanwhile is refused as Corrupt, and nothing is written over it', async () => {
    const file = temporary('damaged.topo');
    const connection = await openFile(file);
    await connection.create('a', bytes('1'));
    await connection.create('b', bytes('2'));
    writeFileSync(file, readFileSync(file, 'utf8').replace('"path":"a"', '"path":"c"'));
    const damaged = readFileSync(file);
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await expect(connection.get('a')).rejects.toMatchObject({ code: ErrorCode.Corrupt });
    await expect(connection.create('d', bytes('3'))).rejects.toMatchObject({ code: ErrorCode.Corrupt });
    await connection.close();
    expect(emit).toHaveBeenCalledOnce();
    emit.mockRestore();
    expect(readFileSync(file).equals(damaged)).toBe(true);
  });
});

describe('the lock beside the file', () => {
  function lockedBy(file: string, pid: number, started = 0): void {
    const processes = existsSync('/proc/self/ns/pid') ? readlinkSync('/proc/self/ns/pid') : '';
    writeFileSync(`${file}.lock`, JSON.stringify({ pid, host: hostname(), processes, started }));
  }

  test('of a process that is gone is taken over', async () => {
    const file = temporary('stale.topo');
    const gone = startProcess('nothing', temporary('nothing.topo'));
    await gone.ended;
    lockedBy(file, gone.pid);
    await withFile(file, 'global', (connection) => connection.create('a', bytes('1')));
    lockedBy(file, process.pid, 1);
    await withFile(file, 'global', (connection) => connection.update('a', bytes('2'), null));
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test('of a process that runs is waited for, and named after five seconds', async () => {
    const file = temporary('busy.topo');
    const clock = new ManualClock();
    const connection = await openFile(file, 'global', { clock });
    lockedBy(file, process.ppid);
    const start = clock.now();
    const outcome = connection.create('a', bytes('1')).catch((error: unknown) => error);
    let over = false;
    void outcome.then(() => {
      over = true;
    });
    await until('the end of the wait', () => {
      clock.advance(20);
      return over;
    });
    expect(await outcome).toMatchObject({
      code: ErrorCode.Unavailable,
      message: expect.stringContaining(`process ${process.ppid} on ${hostname()} is writing to the file`),
      hint: expect.stringContaining('remove the lock file'),
    });
    expect(clock.now() - start).toBeGreaterThanOrEqual(5_000);
    await connection.close();
    expect(existsSync(`${file}.lock`)).toBe(true);
  });

  test('held until the deadline of a write: Timeout, and it is not done later', async () => {
    const file = temporary('deadline.topo');
    const connection = await openFile(file);
    lockedBy(file, process.ppid);
    const write = connection.create('a', bytes('1'), { deadline: Date.now() + 50 });
    await expect(write).rejects.toMatchObject({ code: ErrorCode.Timeout });
    rmSync(`${file}.lock`);
    await connection.create('b', bytes('2'));
    expect(await texts(connection)).toEqual({ b: '2' });
    await connection.close();
  });
});

describe('several processes', () => {
  test('lose none of one another’s changes', async () => {
    const file = temporary('counter.topo');
    await withFile(file, 'global', (connection) => connection.create('counter', bytes('0')));
    const others = [startProcess('increment', file, '40'), startProcess('increment', file, '40')];
    const connection = await openFile(file);
    for (let done = 0; done < 40; ) {
      const { bytes: now, version } = await connection.get('counter');
      const next = bytes(String(Number(Buffer.from(now).toString()) + 1));
      const outcome = await connection.update('counter', next, version).catch((error: unknown) => error);
      if (outcome instanceof Error) expect(outcome).toMatchObject({ code: ErrorCode.BadVersion });
      else done += 1;
    }
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0]);
    expect(await texts(connection)).toEqual({ counter: '120' });
    await connection.close();
    expect(readdirSync(dirname(file)).filter((name) => name.startsWith('counter.topo'))).toEqual([
      'counter.topo',
    ]);
  });

  test('a watch delivers what another process writes', async () => {
    const file = temporary('watched.topo');
    const connection = await openFile(file);
    await connection.create('counter', bytes('0'));
    let other: ReturnType<typeof startProcess> | undefined;
    for await (const event of connection.watchRecursive('')) {
      if (event.type === 'synced') other = startProcess('increment', file, '5');
      if (event.type === 'record' && event.value && Buffer.from(event.value.bytes).toString() === '5') break;
    }
    expect(await other?.ended).toBe(0);
    await connection.close();
  });

  test('a watch of a file that gets damaged ends with WatchLost', async () => {
    const file = temporary('watch-lost.topo');
    const connection = await openFile(file);
    await connection.create('a', bytes('1'));
    const watch = (async () => {
      for await (const _ of connection.watch('a')) writeFileSync(file, 'damaged');
    })();
    await expect(watch).rejects.toMatchObject({
      code: ErrorCode.WatchLost,
      message: expect.stringContaining('line 1'),
    });
    await connection.close();
  });
});

describe('a process that is killed', () => {
  test('between and within its writes leaves every acknowledged batch, and each batch whole or not at all', async () => {
    for (const acknowledged of [0, 3, 17]) {
      const file = temporary(`killed-${acknowledged}.topo`);
      const child = startProcess('batches', file);
      let last = -1;
      for await (const line of child.lines) {
        last = Number(line);
        if (last >= acknowledged) break;
      }
      child.kill();
      expect(await child.ended).toBe('SIGKILL');
      const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      const found = await withFile(file, 'global', async (connection) => {
        const paths = Object.keys(await texts(connection));
        await connection.create('after', bytes('x'));
        return paths;
      });
      emit.mockRestore();
      expect(found.length % 50).toBe(0);
      for (let batch = 0; batch <= last; batch++)
        expect(found.filter((path) => path.startsWith(`batches/${batch}/`)).length).toBe(50);
      const kept = await withFile(file, 'global', async (connection) => Object.keys(await texts(connection)));
      expect(kept.sort()).toEqual(['after', ...found].sort());
    }
  });

  test('while it rewrites the file leaves the old one intact', async () => {
    const file = temporary('rewritten.topo');
    await withFile(file, 'global', (connection) => connection.create('old', bytes('1')));
    const child = startProcess('fold', file, '20000');
    expect((await child.lines.next()).value).toBe('written');
    const before = readFileSync(file);
    child.goOn();
    // Looks without a pause, so as not to come when the rewrite is over.
    for (const end = Date.now() + 10_000; Date.now() < end && !existsSync(`${file}.tmp`); );
    child.kill();
    expect(await child.ended).toBe('SIGKILL');
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(`${file}.tmp`)).toBe(true);
    const count = await withFile(file, 'global', async (connection) => {
      await connection.update('old', bytes('2'), null);
      return Object.keys(await texts(connection)).length;
    });
    expect(count).toBe(20_001);
    expect(readdirSync(dirname(file)).filter((name) => name.startsWith('rewritten.topo'))).toEqual([
      'rewritten.topo',
    ]);
    expect(base(file).split('\n').length).toBe(20_003);
  });
});
