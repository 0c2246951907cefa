import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../conformance/tools.js';
import { cli } from '../support/cli.js';
import { closeTopologies, contents, topology } from './locked-topology.js';

afterEach(closeTopologies);

describe('locks hold', () => {
  test('keeps others out, tells them who it is, and gives the lock back', async () => {
    const { address, store } = await topology('zookeeper');
    const abort = new AbortController();
    const args = ['locks', 'hold', address, 'commerce', '--action', 'maintenance'];
    const holding = cli(args, {}, { signal: abort.signal });
    await eventually('it is held', async () => {
      expect((await cli(['locks', 'list', address])).out).toMatch(/keyspace commerce +holds +maintenance/);
    });
    await expect(store.tryLock('keyspaces/commerce', 'x')).rejects.toMatchObject({ code: 'NodeExists' });
    abort.abort();
    const { code, out } = await holding;
    expect(out).toMatch(/^holding the lock of keyspaces\/commerce in memory:/);
    expect(out).toContain(`"HostName": "${hostname()}"`);
    expect(code).toBe(0);
    expect(await store.lockQueue('keyspaces/commerce')).toEqual([]);
  });

  test('for a time', async () => {
    const { address, store } = await topology('zookeeper');
    const args = ['locks', 'hold', address, 'commerce', '--for', '20ms'];
    expect(await cli(args)).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^holding/) });
    expect(await store.lockQueue('keyspaces/commerce')).toEqual([]);
  });

  test('until it is interrupted, which is no failure', async () => {
    const { address, store } = await topology('etcd');
    const abort = new AbortController();
    const watch = { signal: abort.signal, onOut: () => abort.abort() };
    const { code, out } = await cli(['locks', 'hold', address, 'orders/-80'], {}, watch);
    expect(out).toContain('Ctrl-C gives it back');
    expect(code).toBe(0);
    expect(await store.lockQueue('keyspaces/orders/shards/-80')).toEqual([]);
  });

  test('an interrupt while it waits leaves nothing behind and exits with 5', async () => {
    const { address, store } = await topology('etcd');
    const lock = await store.lock('keyspaces/commerce', contents('RebuildKeyspace'));
    const abort = new AbortController();
    const waiting = cli(['locks', 'hold', address, 'commerce'], {}, { signal: abort.signal });
    await eventually('it waits', async () =>
      expect(await store.lockQueue('keyspaces/commerce')).toHaveLength(2),
    );
    abort.abort();
    const { code, err } = await waiting;
    expect(err).toMatch(
      /waiting for the lock of keyspaces\/commerce, held by .*RebuildKeyspace by vitess@host-7/,
    );
    expect(code).toBe(5);
    await eventually('its entry is gone', async () =>
      expect(await store.lockQueue('keyspaces/commerce')).toHaveLength(1),
    );
    await lock.unlock();
  });

  test('--try fails at once and --wait in time, and both say who holds it', async () => {
    const { address, store } = await topology('etcd');
    const lock = await store.lock('keyspaces/commerce', contents('RebuildKeyspace'));
    for (const flags of [['--try'], ['--wait', '200ms']]) {
      const { code, err } = await cli(['locks', 'hold', address, 'commerce', ...flags]);
      expect(err).toMatch(/was not to be had.*\n.*held by .*RebuildKeyspace by vitess@host-7/);
      expect(code).toBe(3);
    }
    await lock.unlock();
    expect((await cli(['locks', 'hold', address, 'commerce', '--try', '--for', '1ms'])).code).toBe(0);
  });

  test('takes a named lock, for which nothing need exist', async () => {
    const { address, store } = await topology('consul');
    const args = ['locks', 'hold', address, '--name', 'orders/reshard', '--for', '1ms', '--output', 'json'];
    const { code, out } = await cli(args);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ dir: 'internal/named_locks/orders/reshard' });
    expect(await store.lockQueue('internal/named_locks/orders/reshard')).toEqual([]);
  });

  test('of a keyspace that does not exist fails', async () => {
    const { address } = await topology('etcd');
    expect(await cli(['locks', 'hold', address, 'nowhere', '--for', '1ms'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('NoNode'),
    });
  });

  test('a lock that is lost is told, with exit code 5', async () => {
    const { address } = await topology('etcd');
    const holding = cli(['locks', 'hold', address, 'commerce']);
    await eventually('it is broken', async () => {
      const args = ['locks', 'break', address, 'commerce', '--yes', '--even-if-alive'];
      expect((await cli(args)).out).toContain('broken');
    });
    const { code, err } = await holding;
    expect(err).toMatch(/the lock is lost.*\[LockLost\]/);
    expect(code).toBe(5);
  });

  const refusals: [string[], RegExp][] = [
    [['commerce', '--try', '--wait', '1s'], /--try and --wait/],
    [['commerce', '--for', 'soon'], /--for is no duration/],
    [['commerce', '--for', '0'], /--for is no duration/],
    [['commerce', '--for', '1s', '--', 'true'], /--for and a program/],
    [['commerce', '--output', 'json', '--', 'true'], /--output json and a program/],
    [['elections/vtctld'], /an election is not a lock/],
    [['--name', 'a/b', '--try'], /--try does not go with the named lock/],
    [['internal/named_locks/a/b', '--try'], /--try does not go with the named lock/],
  ];
  test.each(refusals)('refuses %j', async (args, message) => {
    const { address } = await topology('etcd');
    expect(await cli(['locks', 'hold', address, ...args])).toMatchObject({
      code: 2,
      err: expect.stringMatching(message),
    });
  });
});

describe('locks hold with a program', () => {
  const node = (script: string) => ['--', process.execPath, '-e', script];

  test('gives its exit code, and the lock back', async () => {
    const { address, store } = await topology('zookeeper');
    const { code, out } = await cli(['locks', 'hold', address, 'commerce', ...node('process.exit(7)')]);
    expect(code).toBe(7);
    expect(out).toBe('');
    expect(await store.lockQueue('keyspaces/commerce')).toEqual([]);
  });

  test('ends it when the lock is lost, or when it is interrupted itself', async () => {
    const { address, store } = await topology('zookeeper');
    const endless = node('setInterval(() => {}, 1000)');
    const lost = cli(['locks', 'hold', address, 'commerce', ...endless]);
    await eventually('it is broken', async () => {
      const args = ['locks', 'break', address, 'commerce', '--yes', '--even-if-alive'];
      expect((await cli(args)).out).toContain('broken');
    });
    expect(await lost).toMatchObject({ code: 5, err: expect.stringContaining('LockLost') });
    const abort = new AbortController();
    const stopped = cli(['locks', 'hold', address, 'commerce', ...endless], {}, { signal: abort.signal });
    await eventually('it is held', async () =>
      expect(await store.lockQueue('keyspaces/commerce')).toHaveLength(1),
    );
    abort.abort();
    expect((await stopped).code).toBe(128 + 15);
    expect(await store.lockQueue('keyspaces/commerce')).toEqual([]);
  });

  test('that cannot be started gives the lock back', async () => {
    const { address, store } = await topology('zookeeper');
    const { code, err } = await cli(['locks', 'hold', address, 'commerce', '--', './no-such-program']);
    expect(err).toMatch(/no-such-program cannot be started: ENOENT/);
    expect(code).toBe(2);
    expect(await store.lockQueue('keyspaces/commerce')).toEqual([]);
  });

  test('belongs to no other command', async () => {
    const { address } = await topology('zookeeper');
    expect(await cli(['ls', address, '--', 'true'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('unexpected word true'),
    });
  });
});
