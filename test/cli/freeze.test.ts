import { randomUUID } from 'node:crypto';
import { beforeEach, expect, test } from 'vitest';
import { sampleTopology } from '../../src/cli/demo/sample.js';
import { cli } from '../support/cli.js';
import { contents, withStore } from '../support/topologies.js';

let source: (scope: string) => string;
let to: string;

beforeEach(async () => {
  const id = randomUUID();
  source = (scope) => `memory://zookeeper:${id}/vitess/${scope}`;
  to = `memory://etcd:${id}/vitess/global`;
  for (const scope of ['global', 'zone1', 'zone2'])
    await withStore(source(scope), async (store) => {
      for (const record of sampleTopology(`zookeeper:${id}`).filter((each) => each.scope === scope))
        await store.create(record.path, record.bytes);
    });
});

const pair = () => [source('global'), to, '--to-cell-root', '/vitess/{cell}'];

test('a follower that found both sides equal freezes the source, and says what it certifies', async () => {
  const { code, out, err } = await cli(['follow', ...pair(), '--until-equal', '--freeze']);
  expect(code).toBe(0);
  expect(out).toMatch(/frozen for .* under 11 locks: 0 records copied; no record of the source moved/);
  expect(out).toContain('quiesced: the source is sealed');
  expect(err).toMatch(
    /taking all locks\nfrozen .*: sealing\nfrozen .*: copying\nfrozen .*: verifying\nfrozen .*: checking\n/,
  );
  const json = await cli(['follow', ...pair(), '--until-equal', '--freeze', '--output', 'json']);
  const last = JSON.parse(json.out.trim().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ type: 'freeze', equal: true, quiesced: true, exempt: [], tries: 1 });
  const events: unknown[] = json.err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({ type: 'freeze-step', step: 'preparing' });
  expect(events.at(-1)).toMatchObject({
    type: 'freeze-step',
    step: 'releasing',
    frozenMs: expect.any(Number),
  });
});

test('what does not go with a freeze is refused before anything is opened or written', async () => {
  for (const [more, message] of [
    [['--freeze', '--cells', 'zone1'], /--cells and --freeze exclude/],
    [['--freeze', '--kinds', 'Shard'], /--kinds and --freeze exclude/],
    [['--freeze', '--keyspace', 'commerce'], /--keyspace and --freeze exclude/],
    [['--freeze', '--dry-run'], /--dry-run and --freeze exclude/],
    [['--freeze', '--verify'], /--verify and --freeze exclude/],
    [['--freeze-hold', '5s'], /--freeze-hold is given without --freeze/],
    [['--freeze-seal', 'never'], /--freeze-seal is given without --freeze/],
    [['--freeze', '--freeze-timeout', 'soon'], /--freeze-timeout is no duration/],
  ] as const)
    expect(await cli(['copy', ...pair(), ...more])).toMatchObject({
      code: 2,
      err: expect.stringMatching(message),
    });
  expect(await cli(['follow', ...pair(), '--freeze'])).toMatchObject({
    code: 2,
    err: expect.stringMatching(/--freeze is given without --until-equal/),
  });
  expect((await contents(to)).size).toBe(0);
});

test('a lock that others hold at the beginning does not stop the copy before the freeze, only the freeze', async () => {
  await withStore(source('global'), async (store) => {
    await store.tryLock('keyspaces/orders', '{"Action":"Reshard"}');
    const { code, err } = await cli(['copy', ...pair(), '--freeze', '--freeze-timeout', '3s']);
    expect(code).toBe(4);
    expect(err).toMatch(/not frozen: try 1 met the lock of keyspaces\/orders, by Reshard/);
    expect(err).toMatch(/not to be had together/);
  });
  expect((await contents(to)).size).toBeGreaterThan(0);
});
