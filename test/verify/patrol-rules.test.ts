import { describe, expect, test } from 'vitest';
import { patrolHealth } from '../../src/cli/patrol-health.js';
import type { Class } from '../../src/verify/classes.js';
import type { CompareContext } from '../../src/verify/compare.js';
import { comparePair } from '../../src/verify/compare.js';
import { decideAll, PatrolFindings } from '../../src/verify/patrol-findings.js';
import { LeftVersions } from '../../src/verify/patrol-left.js';
import { VerdictKeeper } from '../../src/verify/patrol-verdict.js';
import { pair, stored } from '../support/records.js';

const PATH = 'metadata/owner';
const context: CompareContext = { scope: 'global', judgeAddress: () => 'own' };
const differing = pair(stored(PATH, 'a'), stored(PATH, 'b'));
const equal = pair(stored(PATH, 'a'), stored(PATH, 'a'));

describe('what is known of a part', () => {
  /** Takes states at times, in a part that waits 100 ms and gives up after 400. */
  function taken(ignore: string[], ...rounds: [at: number, state: string | undefined, is: typeof equal][]) {
    const findings = new PatrolFindings({ forMs: 100, limitMs: 400 }, ignore);
    for (const [at, state, is] of rounds)
      findings.take({ pair: is, state }, comparePair(is, context), { began: at, ended: at });
    return findings;
  }
  const classes = (findings: PatrolFindings, now: number) => [...findings.counts(now).classes];

  test('a difference counts when it has stood for long enough in one state, and until it is equal', () => {
    const two = taken([], [0, 'x', differing], [99, 'x', differing]);
    expect(classes(two, 99)).toEqual([]);
    expect(two.counts(99)).toMatchObject({ open: 1, oldest: 0 });
    const three = taken([], [0, 'x', differing], [100, 'x', differing]);
    expect(classes(three, 100)).toEqual([['repairable', 1]]);
    expect(three.counts(100).open).toBe(0);
    expect(classes(taken([], [0, 'x', differing], [90, 'y', differing], [150, 'y', differing]), 150)).toEqual(
      [],
    );
    expect(classes(taken([], [0, 'x', differing], [100, 'x', differing], [110, 'z', equal]), 110)).toEqual(
      [],
    );
  });

  test('one that stood and moves on still counts, and is not counted twice', () => {
    const moved = taken([], [0, 'x', differing], [100, 'x', differing], [110, 'y', differing]);
    expect(classes(moved, 110)).toEqual([['repairable', 1]]);
    expect(classes(moved, 900)).toEqual([['repairable', 1]]);
    expect([...moved.open()]).toEqual([PATH]);
  });

  test('what was equal while the authority moved is not believed, and read again', () => {
    const stood = taken([], [0, 'x', differing], [100, 'x', differing], [110, undefined, equal]);
    expect(classes(stood, 110)).toEqual([['repairable', 1]]);
    expect([...stood.open()]).toEqual([PATH]);
  });

  test('what moves all the time is in flight after a while, and may be equal in the end', () => {
    const rounds = [0, 90, 180, 270, 360, 450].map(
      (at) => [at, `${at}`, differing] as [number, string, typeof equal],
    );
    const moving = taken([], ...rounds);
    expect(classes(moving, 399)).toEqual([]);
    expect(classes(moving, 450)).toEqual([['in-flight', 1]]);
    expect(moving.differences(450, 9)).toMatchObject([{ path: PATH, class: 'in-flight' }]);
    expect(classes(taken([], ...rounds, [460, 'e', equal]), 460)).toEqual([]);
  });

  test('what is ignored need not stand, and is no difference', () => {
    const ignored = taken(['metadata'], [0, 'x', differing]);
    expect(ignored.counts(0)).toMatchObject({ ignored: 1, open: 0 });
    expect(ignored.differs(PATH)).toBe(false);
    expect(decideAll([ignored.counts(0)], 'stale')).toBe('accepted');
  });

  test('all parts together are as bad as the worst, and as good as is asked for', () => {
    const [good, bad] = [taken([], [0, 'x', equal]), taken([], [0, 'x', differing], [100, 'x', differing])];
    const counts = [good.counts(100), bad.counts(100)];
    expect(decideAll(counts, 'stale')).toBe('different');
    expect(decideAll(counts, 'dangerous')).toBe('accepted');
    expect(decideAll([good.counts(100)], 'stale')).toBe('equal');
  });
});

describe('a verdict', () => {
  test('is told when it changes, and not before what was undecided is decided, where it gets better', () => {
    const keeper = new VerdictKeeper();
    const take = (decision: Parameters<VerdictKeeper['take']>[0]['decision'], now: number, oldest?: number) =>
      keeper.take({ decision, oldest }, now);
    expect(take(undefined, 0)).toBeUndefined();
    expect(take('different', 10, 5)).toBeUndefined();
    expect(take('different', 20)).toBe('changed');
    expect(take('different', 30)).toBeUndefined();
    expect(take('equal', 40, 35)).toBeUndefined();
    expect(take('equal', 50, 45)).toBe('changed');
    expect(take('different', 60, 59)).toBe('changed');
    expect(take('unknown', 70)).toBe('changed');
    expect(take('equal', 80, 75)).toBeUndefined();
    expect(take('equal', 90)).toBe('changed');
    expect(keeper.current).toBe('equal');
  });
});

test('a verdict that stays is told again when it stands on something worse, and not when on something better', () => {
  const keeper = new VerdictKeeper();
  const take = (worst: Class, ...unread: string[]) =>
    keeper.take({ decision: 'different', oldest: undefined, worst, unread: new Set(unread) }, 0);
  expect(take('repairable')).toBe('changed');
  expect(take('repairable')).toBeUndefined();
  expect(take('dangerous')).toBe('worse');
  expect(take('dangerous', 'zone1')).toBe('worse');
  expect(take('dangerous', 'zone1')).toBeUndefined();
  expect(take('stale')).toBeUndefined();
  expect(take('repairable')).toBe('worse');
});

test('a patrol is not healthy before it knows how things are, when a store answers again', () => {
  const state = { since: 0, changes: 1, writes: 0, restarts: 0, parts: [], failure: undefined };
  const health = (verdict: 'unknown' | 'equal') =>
    patrolHealth({ ...state, verdict }, 600_000, { startedAt: 0, now: 1 });
  expect(health('unknown')).toMatchObject({ healthy: false, why: [{ reason: 'verdict' }] });
  expect(health('equal')).toMatchObject({ healthy: true, why: [] });
});

describe('the versions of the store that was left', () => {
  function filled(): LeftVersions {
    const left = new LeftVersions();
    left.fill('a', '1');
    left.fill('b', '1');
    left.filled();
    return left;
  }

  test('tell every write once, whether a watch or a read is first', () => {
    const left = filled();
    expect(left.seen('a', '1', 5)).toBeUndefined();
    expect(left.seen('a', '3', 5)).toEqual({ path: 'a', version: '3', at: 5 });
    expect(left.seen('a', '2', 6)).toMatchObject({ version: '2' });
    expect(left.seen('a', '3', 7)).toBeUndefined();
    expect(left.seen('c', '1', 8)).toMatchObject({ path: 'c', version: '1' });
    expect(left.seen('c', undefined, 9)).toEqual({ path: 'c', version: undefined, at: 9 });
    expect(left.seen('c', undefined, 9)).toBeUndefined();
    // A watch that is behind tells both again.
    expect(left.seen('c', '1', 10)).toBeUndefined();
    expect(left.seen('c', undefined, 11)).toBeUndefined();
  });

  test('tell nothing of what was there, nor of what came before they were filled', () => {
    const left = new LeftVersions();
    expect(left.seen('a', '1', 0)).toBeUndefined();
    expect(left.isNew('b', '1')).toBe(false);
    left.filled();
    expect(left.isNew('a', '1')).toBe(false);
    expect(left.isNew('a', '2')).toBe(true);
  });

  test('find what was deleted while nobody watched', () => {
    const left = filled();
    left.begin();
    left.seen('a', '1', 1);
    expect(left.synced()).toEqual(['b']);
    expect(left.synced()).toEqual([]);
  });
});
