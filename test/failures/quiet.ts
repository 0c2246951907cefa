import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { Follower } from '../conformance/follower.js';
import { eventually, pause, utf8 } from '../conformance/tools.js';

const RECORDS = 24;
const BETWEEN_MS = 60;
const CALL_MS = 2_000;

/** How one record changes, from one state to another; undefined: it does not exist. */
const CHANGES = [
  { from: 'old', to: 'new' },
  { from: 'old', to: undefined },
  { from: undefined, to: 'new' },
] as const;

const CHANGED = Array.from({ length: RECORDS }, (_, i) => ({
  path: `quiet/${i}`,
  ...(CHANGES[i % 3] ?? CHANGES[0]),
}));

/**
 * Records of which each is changed once, at its own moment, and never again: a watch that misses a change does not hear
 * of it from a later one.
 */
export class QuietRecords {
  readonly #connection: Connection;
  readonly #limitMs: number;
  readonly #followers: readonly Follower[];

  private constructor(connection: Connection, followers: readonly Follower[], limitMs: number) {
    this.#connection = connection;
    this.#followers = followers;
    this.#limitMs = limitMs;
  }

  /**
   * Makes them through `connection`, which nothing disturbs but what happens to the servers, and watches them through
   * `watching`. What takes longer than `limitMs` fails.
   */
  static async plant(connection: Connection, watching: Connection, limitMs: number): Promise<QuietRecords> {
    for (const { path, from } of CHANGED) if (from !== undefined) await put(connection, path, from, limitMs);
    await eventually('a read', () => watching.position({ deadline: Date.now() + CALL_MS }), limitMs);
    const followers = CHANGED.map(({ path }) => new Follower((signal) => watching.watch(path, { signal })));
    if (watching.capabilities.watchRecursive)
      followers.push(new Follower((signal) => watching.watchRecursive('quiet', { signal })));
    await Promise.all(
      followers.map((follower, i) =>
        follower.until('the first states', (events) =>
          i < RECORDS ? events.length > 0 : events.some(({ type }) => type === 'synced'),
        ),
      ),
    );
    return new QuietRecords(connection, followers, limitMs);
  }

  /** Changes one after the other; each is tried until it is known to be done. */
  async change(): Promise<void> {
    for (const { path, to } of CHANGED) {
      await put(this.#connection, path, to, this.#limitMs);
      await pause(BETWEEN_MS);
    }
  }

  /** Every watch has delivered the last states, once they were there nothing else, and no record that is not followed. */
  async delivered(): Promise<void> {
    const recursive = this.#followers[RECORDS];
    for (const [i, { path, from, to }] of CHANGED.entries()) {
      for (const follower of [this.#followers[i], recursive]) {
        if (follower === undefined) continue;
        // A recursive watch says nothing of what does not exist when it begins.
        const first = follower === recursive && from === undefined ? [] : [from];
        const seen = () => withoutRepeats(follower.statesOf(path));
        await eventually(
          `${path} of the ${follower === recursive ? 'recursive ' : ''}watch`,
          async () => {
            assert.deepEqual(seen(), [...first, to]);
          },
          this.#limitMs,
        );
      }
    }
  }
}

/** Writes or deletes until it is known to be done. */
async function put(
  connection: Connection,
  path: string,
  text: string | undefined,
  limitMs: number,
): Promise<void> {
  await eventually(
    `the change of ${path}`,
    async () => {
      const options = { deadline: Date.now() + CALL_MS };
      if (text !== undefined) await connection.update(path, utf8(text), null, options);
      else await connection.delete(path, null, options).catch(unlessAbsent);
    },
    limitMs,
  );
}

function unlessAbsent(error: unknown): void {
  if (!isTopologyError(error, 'NoNode')) throw error;
}

function withoutRepeats(states: readonly (string | undefined)[]): (string | undefined)[] {
  return states.filter((state, i) => i === 0 || state !== states[i - 1]);
}
