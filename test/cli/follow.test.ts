import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { equal, type Places, placesInMemory, plantSample } from '../copy/followers.js';
import { cli } from '../support/cli.js';
import { FakeTerminal } from '../support/fake-terminal.js';
import { contents, withStore } from '../support/topologies.js';
import { until } from '../support/until.js';
import { followArgs, startFollow } from './following.js';

let folder: string;
let places: Places;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  places = placesInMemory();
  await plantSample(places);
});

const change = (scope: string, path: string, text: string) =>
  withStore(scope, async (store) => void (await store.update(path, Buffer.from(text), null)));

test('for programs: events, one object a line, from the start to the end', async () => {
  const running = startFollow(places);
  await running.following();
  await change(places.source('global'), 'metadata/owner', 'changed');
  await until('the change', () => equal(places));
  running.stop();
  expect((await running.done).code).toBe(0);
  const { events } = running;
  expect(events[0]).toMatchObject({ type: 'listening', url: expect.stringContaining('127.0.0.1') });
  expect(events[1]).toEqual({
    type: 'start',
    from: places.source('global'),
    to: places.destination('global'),
  });
  expect(events.filter(({ type }) => type === 'pass')).toMatchObject([
    { number: 1, scopes: [{ scope: 'global' }, { scope: 'zone1' }, { scope: 'zone2' }] },
  ]);
  expect(events.at(-1)).toMatchObject({
    type: 'end',
    waiting: 0,
    actions: { update: 1, rewrite: 2, delete: 0 },
    skipped: [],
    next: [expect.stringContaining('--resume'), expect.stringContaining('--freeze')],
  });
});

test('for people: what was written, what was left out and why, what to do next', async () => {
  const { code, out } = await withStore(places.source('global'), async (store) => {
    await store.lock('keyspaces/commerce', '{}');
    return cli(['follow', ...followArgs(places), '--until-equal', '--allow-locks']);
  });
  expect(code).toBe(0);
  expect(out).toMatch(/^following: \d+ complete pass(es)?, .* waiting, .* behind$/m);
  expect(out).toMatch(
    /^ended: \d+ complete passes, \d+ records written \(create \d+, rewrite 2\); nothing waits$/m,
  );
  expect(out).toMatch(/left out, .*lock/);
  expect(out).toMatch(/next:\n {2}- to go on: .*\n {2}- to move: follow --until-equal --freeze/);
});

test('of a part it does not speak of a freeze, which is of all records', async () => {
  const ended = await cli(['follow', ...followArgs(places), '--until-equal', '--cells', 'zone1']);
  expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/^next: to go on: /m) });
});

test('on a terminal: a line for each cell, and none that scrolls away', async () => {
  const screen = new FakeTerminal();
  const stop = new AbortController();
  const running = cli(['follow', ...followArgs(places)], {}, { screen, terminal: true, signal: stop.signal });
  await until('the view', () => /zone1 +equal/.test(screen.text));
  expect(screen.text).toMatch(/following: 1 complete pass, .* the last \ds ago/);
  stop.abort();
  const { code, out } = await running;
  expect(code).toBe(0);
  expect(out.split('\n').filter((line) => line.startsWith('following'))).toEqual([]);
  expect(out).toContain('ended: 1 complete pass');
});

test('metrics and health: all is well, then a foreign write, which stops it and is told of until it ends', async () => {
  const running = startFollow(places, ['--linger', '1h']);
  await running.following();
  expect(await running.health()).toMatchObject({
    status: 200,
    body: { healthy: true, why: [], phase: 'following', waiting: 0, lastPass: expect.any(String) },
  });
  const metrics = await running.metrics();
  expect(metrics).toMatchObject({
    topo2topo_follow_lag_seconds: 0,
    topo2topo_follow_pass_duration_seconds_count: 1,
    topo2topo_follow_guard_stops_total: 0,
    topo2topo_follow_foreign_writes_total: 0,
    topo2topo_follow_watch_restarts_total: 0,
    'topo2topo_follow_records_pending{cell="zone1"}': 0,
    'topo2topo_follow_watched{cell="zone2"}': 1,
    'topo2topo_follow_phase{phase="following"}': 1,
    'topo2topo_follow_records_written_total{cell="global",kind="CellInfo",action="rewrite"}': 2,
  });
  expect(
    Math.abs((metrics['topo2topo_follow_last_pass_timestamp_seconds'] ?? 0) - Date.now() / 1000),
  ).toBeLessThan(60);

  await change(places.destination('global'), 'metadata/owner', 'theirs');
  await change(places.source('global'), 'metadata/owner', 'ours');
  await until('unwell', async () => (await running.health()).status === 503);
  expect((await running.health()).body).toMatchObject({
    healthy: false,
    phase: 'stopped',
    why: expect.arrayContaining([
      { reason: 'stopped', code: 'Guard', message: expect.stringContaining('path metadata/owner') },
    ]),
  });
  expect(await running.metrics()).toMatchObject({
    topo2topo_follow_guard_stops_total: 1,
    topo2topo_follow_foreign_writes_total: 1,
    'topo2topo_follow_errors_total{code="Guard"}': 1,
    'topo2topo_follow_phase{phase="stopped"}': 1,
  });
  running.stop();
  const { code, out, err } = await running.done;
  expect(code).toBe(4);
  expect(err).toMatch(/stopped: somebody else changed this record .*\[Guard\]; \/healthz says so for 3600 s/);
  expect(JSON.parse(out.trim().split('\n').at(-1) ?? '')).toMatchObject({
    error: { code: 'Guard', path: 'metadata/owner' },
  });
  await expect(running.health()).rejects.toThrow();
  expect((await contents(places.destination('global'))).get('metadata/owner')?.toString()).toBe('theirs');
});

test('with a journal and --resume it knows again what is its own, and what somebody else wrote meanwhile', async () => {
  const journal = ['--journal', join(folder, 'follow.journal'), '--resume'];
  const first = startFollow(places, journal);
  await first.following();
  first.stop();
  expect((await first.done).code).toBe(0);

  await change(places.source('global'), 'metadata/owner', 'while it was away');
  const second = startFollow(places, journal);
  await second.following();
  await until('the change', () => equal(places));
  second.stop();
  expect((await second.done).code).toBe(0);

  await change(places.destination('global'), 'metadata/owner', 'theirs');
  await change(places.source('global'), 'metadata/owner', 'ours');
  const third = startFollow(places, [...journal, '--linger', '1h']);
  expect(await third.done).toMatchObject({ code: 4, err: expect.stringContaining('metadata/owner') });
  expect((await contents(places.destination('global'))).get('metadata/owner')?.toString()).toBe('theirs');
});

test('flags of the service that make no sense are refused before anything is opened', async () => {
  for (const more of [
    ['--listen', ':9184'],
    ['--max-lag', 'soon'],
    ['--linger', '-1s'],
  ])
    expect(await cli(['follow', ...followArgs(places), ...more])).toMatchObject({ code: 2 });
  expect((await contents(places.destination('global'))).size).toBe(0);
});
