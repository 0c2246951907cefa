import { afterEach, expect, test } from 'vitest';
import { followHealth } from '../../src/cli/follow-health.js';
import { FollowMetrics } from '../../src/cli/follow-metrics.js';
import { stateJson } from '../../src/cli/follow-text.js';
import type { FollowState } from '../../src/copy/follow-options.js';
import { Refused } from '../../src/copy/stop.js';
import { ManualClock } from '../support/manual-clock.js';
import { withStore } from '../support/topologies.js';
import { Hanging } from './follower-faults.js';
import { equal, following, placesInMemory, plantSample, startFollower, until } from './followers.js';

const stop = new AbortController();
afterEach(() => stop.abort());

const LIMITS = { maxLagMs: 60_000, passEveryMs: 3_600_000 };

test('lag rises while a change waits, falls when it is there, and health and metrics say so', async () => {
  const places = placesInMemory();
  await plantSample(places);
  const clock = new ManualClock();
  const startedAt = clock.now();
  const hanging = new Hanging();
  const running = await startFollower(
    places,
    { signal: stop.signal, clock },
    { destination: (store) => hanging.of(store) },
  );
  await following(running);
  const metrics = new FollowMetrics(running.state);
  const health = () => followHealth(running.state(), undefined, LIMITS, { startedAt, now: clock.now() });
  const lag = async () =>
    (await metrics.registry.getSingleMetric('topo2topo_follow_lag_seconds')?.get())?.values;
  expect(running.state()?.lagMs).toBe(0);
  expect(health()).toMatchObject({ healthy: true, phase: 'following', why: [] });

  hanging.hang();
  await withStore(places.source('global'), (store) =>
    store.update('metadata/owner', Buffer.from('late'), null),
  );
  await until(() => running.state()?.waiting === 1, running);
  const since = running.state()?.lagMs ?? 0;
  clock.advance(59_000);
  expect(running.state()?.lagMs).toBe(since + 59_000);
  expect(health().healthy).toBe(true);
  clock.advance(2_000);
  expect(await lag()).toMatchObject([{ value: (since + 61_000) / 1000 }]);
  expect(health()).toMatchObject({
    healthy: false,
    lagSeconds: (since + 61_000) / 1000,
    why: [{ reason: 'lag', message: expect.stringContaining('60.0 s are allowed') }],
  });

  hanging.goOn();
  await until(async () => {
    clock.advance(10);
    return running.state()?.lagMs === 0;
  }, running);
  expect(await equal(places)).toBe(true);
  expect(health()).toMatchObject({ healthy: true, waiting: 0 });
  expect(await lag()).toMatchObject([{ value: 0 }]);
});

test('what several guards stopped is told by each of them', () => {
  const [first, second] = (['shrunk', 'primary-deleted'] as const).map((guard) => ({
    ...{ guard, what: `of ${guard}`, about: ['global:a'], hint: `to ${guard}`, overruled: false },
  }));
  if (first === undefined || second === undefined) throw new Error('there are two');
  const error = new Refused([first, second]);
  const guards = [
    { guard: 'shrunk', message: 'of shrunk: global:a', hint: 'to shrunk', flag: '--allow-shrunk' },
    { guard: 'primary-deleted', message: 'of primary-deleted: global:a', hint: 'to primary-deleted' },
  ];
  const failed = { code: 'Guard', message: 'of shrunk: global:a', guards };
  const state: FollowState = {
    phase: 'failing',
    ...{ passes: 0, written: 0, waiting: 0, lagMs: 0, failures: 1, restarts: 0 },
    ...{ failure: error, passed: undefined, parts: [] },
  };
  const health = followHealth(state, { error }, LIMITS, { startedAt: 0, now: 0 });
  expect(health).toMatchObject({ why: [{ reason: 'stopped', ...failed }], failure: failed });
  expect(stateJson(state)).toMatchObject({ failure: failed });
});

test('a complete pass that does not come is told of, though nothing is known to wait', () => {
  const state: FollowState = {
    phase: 'following',
    ...{ passes: 3, written: 7, waiting: 0, lagMs: 0, failures: 0, restarts: 0 },
    ...{ failure: undefined, passed: 1_000, parts: [] },
  };
  const at = (now: number) => followHealth(state, undefined, LIMITS, { startedAt: 0, now });
  expect(at(1_000 + 3_660_000)).toMatchObject({ healthy: true });
  expect(at(1_000 + 3_660_001)).toMatchObject({ healthy: false, why: [{ reason: 'pass' }] });
});
