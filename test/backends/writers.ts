import { expect } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';

/** The code of the error that `work` ends with; undefined when it goes well. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  const outcome = await work.catch((error: unknown) => error);
  if (isTopologyError(outcome)) return outcome.code;
  if (outcome instanceof Error) throw outcome;
  return undefined;
}

/** Milliseconds for which a counter's read waits for an election. */
const ELECTION_MS = 30_000;

/** Some that create records, and one that counts, until they are stopped: what they were told is compared with what is there. */
export class Writers {
  /** Paths of records that exist, as far as the store has told. */
  readonly acknowledged = new Set<string>();
  readonly #connection: Connection;
  readonly #refusals = new Set<string>();
  readonly #counts = { done: 0, unknown: 0 };
  readonly #work: Promise<unknown>;
  #running = true;

  private constructor(connection: Connection, creators: number) {
    this.#connection = connection;
    const indexes = Array.from({ length: creators }, (_, i) => i);
    this.#work = Promise.all([...indexes.map((i) => this.#create(i)), this.#count()]);
  }

  static async start(connection: Connection, creators: number): Promise<Writers> {
    await connection.create('counter', Buffer.from('0'));
    return new Writers(connection, creators);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#work;
  }

  /** Fails unless all that was acknowledged is there, and nothing was done twice. */
  async check(): Promise<void> {
    const found = new Set<string>();
    for await (const { records } of this.#connection.scan('created'))
      for (const { path } of records) found.add(path);
    expect([...this.acknowledged].filter((path) => !found.has(path))).toEqual([]);
    const final = Number(Buffer.from((await this.#connection.get('counter')).bytes).toString());
    expect(final).toBeGreaterThanOrEqual(this.#counts.done);
    expect(final).toBeLessThanOrEqual(this.#counts.done + this.#counts.unknown);
    // A create of a new path never meets itself: NodeExists would be a write that was sent twice.
    for (const code of this.#refusals) expect(['OutcomeUnknown', 'Unavailable', 'Timeout']).toContain(code);
  }

  async #create(writer: number): Promise<void> {
    for (let i = 0; this.#running; i++) {
      const path = `created/${writer}/${i}`;
      const code = await codeOf(this.#connection.create(path, Buffer.from(path)));
      if (code === undefined) this.acknowledged.add(path);
      else this.#refusals.add(code);
    }
  }

  async #count(): Promise<void> {
    while (this.#running) {
      const deadline = Date.now() + ELECTION_MS;
      const { bytes, version } = await this.#connection.get('counter', { deadline });
      const next = Buffer.from(String(Number(Buffer.from(bytes).toString()) + 1));
      const code = await codeOf(this.#connection.update('counter', next, version));
      if (code === undefined) this.#counts.done += 1;
      else if (code === 'OutcomeUnknown') this.#counts.unknown += 1;
    }
  }
}
