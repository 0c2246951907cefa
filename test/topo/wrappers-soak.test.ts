import { expect, test } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import type { Version } from '../../src/topo/version.js';
import type { MethodName } from '../../src/topo/wrappers/base.js';
import { withFaults } from '../../src/topo/wrappers/fault.js';
import type { ChooseFault } from '../../src/topo/wrappers/fault-plan.js';
import { withRetry } from '../../src/topo/wrappers/retry.js';
import { create, remove, update, utf8 } from '../conformance/tools.js';
import { lostAnswer, lostRequest, lostSomewhere } from '../support/fault-script.js';
import { ManualClock } from '../support/manual-clock.js';
import { seeded } from '../support/seeds.js';
import { drive, openMemory } from './wrappers-tools.js';

const ROUNDS = 60;
const WRITES: readonly MethodName[] = ['create', 'update', 'delete', 'write'];

/** What a record really holds, read past all faults. */
async function present(store: Connection, path: string): Promise<string | undefined> {
  try {
    return Buffer.from((await store.get(path)).bytes).toString();
  } catch (error) {
    if (isTopologyError(error, 'NoNode')) return undefined;
    throw error;
  }
}

/** One writer with records of its own: whatever is lost, every answer it gets must be true. */
async function live(store: Connection, retrying: Connection, told: Map<string, number>): Promise<void> {
  const attempt = async <T>(work: Promise<T>): Promise<T | 'unchanged' | 'unknown'> => {
    try {
      const answer = await work;
      told.set('done', (told.get('done') ?? 0) + 1);
      return answer;
    } catch (error) {
      if (!isTopologyError(error)) throw error;
      told.set(error.code, (told.get(error.code) ?? 0) + 1);
      return error.code === 'OutcomeUnknown' ? 'unknown' : 'unchanged';
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    const path = `d/${round}`;
    let version: Version | 'unchanged' | 'unknown' = await attempt(retrying.create(path, utf8('0')));
    if (version === 'unchanged') expect(await present(store, path)).toBeUndefined();
    if (typeof version === 'string') continue;
    expect(await present(store, path)).toBe('0');
    const updated: Version | 'unchanged' | 'unknown' = await attempt(
      retrying.update(path, utf8('1'), version),
    );
    if (updated === 'unknown') continue;
    if (updated !== 'unchanged') version = updated;
    expect(await present(store, path)).toBe(updated === 'unchanged' ? '0' : '1');
    const batch = [update(path, version, '2'), create(`${path}-b`)];
    const written = await attempt(retrying.write(batch));
    if (written === 'unknown') continue;
    expect(await present(store, `${path}-b`)).toBe(written === 'unchanged' ? undefined : 'new');
    if (Array.isArray(written)) {
      version = written[0] ?? version;
      const moved = await attempt(retrying.write([remove(path, version), create(`${path}-c`)]));
      if (moved !== 'unchanged' && moved !== 'unknown') expect(await present(store, path)).toBeUndefined();
      continue;
    }
    const deleted = await attempt(retrying.delete(path, version));
    if (deleted === undefined) expect(await present(store, path)).toBeUndefined();
  }
}

test('whatever is lost on the way, a retrying connection never tells a writer what is not so', async () => {
  const told = new Map<string, number>();
  for (let seed = 1; seed <= 8; seed++) {
    const clock = new ManualClock();
    const store = await openMemory(clock);
    const random = seeded(seed);
    const choose: ChooseFault = ({ method }) => {
      const chance = random();
      if (chance < 0.6) return undefined;
      if (chance < 0.75) return lostRequest;
      return WRITES.includes(method) && chance < 0.88 ? lostSomewhere : lostAnswer;
    };
    const retrying = withRetry(withFaults(store, { clock, choose }), { clock, random, maxAttempts: 3 });
    await drive(clock, live(store, retrying, told));
    await store.close();
  }
  // A writer who is alone is never refused: a refusal could only come from his own write.
  expect([...told.keys()].sort()).toEqual(['OutcomeUnknown', 'Unavailable', 'done']);
  expect(told.get('done')).toBeGreaterThan(4 * (told.get('OutcomeUnknown') ?? 0));
});
