import assert from 'node:assert/strict';
import type { CallOptions, Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import { isBelow } from '../../src/topo/paths.js';
import type { Version } from '../../src/topo/version.js';
import { type Call, DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { create, must, scanAll, update, utf8 } from '../conformance/tools.js';
import { keepWriting, type Writers, writersWithoutRivals } from '../conformance/writers.js';

/** How long after its deadline a call may still be open, on a busy machine. */
const MOMENTS_MS = 3_000;
const CALL_MS = 2_000;
const BATCH_WRITERS = 4;
const TOGGLERS = 4;

const deadline = () => ({ deadline: Date.now() + CALL_MS });

/** Writes down which calls outlived their deadlines, and how calls failed. */
export class Timely extends DelegatingConnection {
  readonly late: string[] = [];
  readonly #failures = new Map<string, number>();

  /** How many calls failed with which code. */
  counts(): string {
    return [...this.#failures].map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
  }

  protected override async around<T>(
    call: Call<T>,
    options: CallOptions | undefined,
    next: (options: CallOptions | undefined) => Promise<T>,
  ): Promise<T> {
    try {
      return await next(options);
    } catch (error) {
      const code = isTopologyError(error) ? error.code : String(error);
      this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
      throw error;
    } finally {
      const over = Date.now() - (options?.deadline ?? Number.POSITIVE_INFINITY);
      if (over > MOMENTS_MS) this.late.push(`${call.method} ${call.path} by ${over} ms`);
    }
  }
}

/** Records that come and go, for watches: see {@link startLoad}. */
export const TOGGLED: readonly string[] = Array.from({ length: TOGGLERS }, (_, i) => `toggled/${i}`);
/** A record that is counted up, for watches. */
export const COUNTED = 'counters/0';

/**
 * Writers of every kind, each with records of its own and values that nobody else writes: whoever is told that a record
 * exists, is absent or has another version has met his own traces. `deleting`: whether records are deleted and made again.
 */
export function startLoad(connection: Connection, deleting: boolean): Writers {
  const singles = writersWithoutRivals(connection, deleting);
  const batches =
    connection.capabilities.batch.maxOps < 2 ? [] : numbered(BATCH_WRITERS, batchWriter, connection);
  const togglers = deleting ? numbered(TOGGLERS, toggler, connection) : [];
  const others = [...batches, ...togglers];
  const loops = others.map(({ step }) => keepWriting(step));
  return {
    acknowledged: () =>
      singles.acknowledged() + others.reduce((sum, { acknowledged }) => sum + acknowledged(), 0),
    stop: async () => {
      await Promise.all([singles.stop(), ...loops.map((loop) => loop.stop())]);
    },
    allThere: async (reader) => {
      await singles.allThere(reader);
      for (const { check } of others) await check(reader);
    },
  };
}

interface OneWriter {
  readonly step: () => Promise<void>;
  readonly acknowledged: () => number;
  readonly check: (reader: Connection) => Promise<void>;
}

function numbered(
  count: number,
  make: (connection: Connection, number: number) => OneWriter,
  connection: Connection,
): OneWriter[] {
  return Array.from({ length: count }, (_, i) => make(connection, i));
}

/** Each batch adds the next item and moves the head on to it: the head and the last item are always the same. */
function batchWriter(connection: Connection, number: number): OneWriter {
  const head = `heads/${number}`;
  const items = `items/${number}`;
  let version: Version | undefined;
  let count = 0;
  let acknowledged = 0;
  const doubt = new Doubt();
  return {
    acknowledged: () => acknowledged,
    step: () =>
      doubt.about(async () => {
        const found = doubt.present ? await read(connection, head) : undefined;
        if (found !== undefined) {
          version = found.version;
          count = Number(found.text);
        } else if (doubt.present) version = undefined;
        if (version === undefined) {
          count = 0;
          version = await connection.create(head, utf8('0'), deadline());
        }
        const item = create(`${items}/${count + 1}`, `${count + 1}`);
        const written = await connection.write([item, update(head, version, `${count + 1}`)], deadline());
        version = must(written[1]);
        count += 1;
        acknowledged = Math.max(acknowledged, count);
      }),
    check: async (reader) => {
      const last = Number((await read(reader, head))?.text ?? 0);
      assert.ok(last >= acknowledged, `${head}: ${acknowledged} batches acknowledged, ${last} found`);
      const { records } = await scanAll(reader, items);
      const expected = Array.from({ length: last }, (_, i) => `${items}/${i + 1}`);
      assert.deepEqual(new Set(records.map(({ path }) => path)), new Set(expected), `${head}: half a batch`);
      assert.ok(
        records.every(({ path, bytes }) => isBelow(path, items) && path.endsWith(`/${Buffer.from(bytes)}`)),
      );
    },
  };
}

/** Makes a record and takes it away again, each time with a larger number. */
function toggler(connection: Connection, number: number): OneWriter {
  const path = must(TOGGLED[number]);
  let version: Version | undefined;
  let count = 0;
  let acknowledged = 0;
  let expected: string | undefined;
  const doubt = new Doubt();
  return {
    acknowledged: () => acknowledged,
    step: () =>
      doubt.about(async () => {
        if (doubt.present) version = (await read(connection, path))?.version;
        if (version === undefined) {
          count += 1;
          version = await connection.create(path, utf8(`${count}`), deadline());
          expected = `${count}`;
        } else {
          await connection.delete(path, version, deadline());
          version = undefined;
          expected = undefined;
        }
        acknowledged += 1;
      }),
    check: async (reader) => {
      // What a write of unknown outcome has left may be anything that it could leave.
      if (!doubt.present)
        assert.equal((await read(reader, path))?.text, expected, `${path}: not as acknowledged`);
    },
  };
}

/** Whether a write of unknown outcome may still be on its way: only then is a refusal to be believed. */
class Doubt {
  present = false;

  async about(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      this.present = false;
    } catch (error) {
      this.present ||= isTopologyError(error, 'OutcomeUnknown');
      if (!(this.present && isTopologyError(error, 'NodeExists', 'BadVersion', 'NoNode'))) throw error;
    }
  }
}

/** A record's text and version, undefined when it does not exist. */
export async function read(
  connection: Connection,
  path: string,
): Promise<{ text: string; version: Version } | undefined> {
  try {
    const { bytes, version } = await connection.get(path, deadline());
    return { text: Buffer.from(bytes).toString(), version };
  } catch (error) {
    if (isTopologyError(error, 'NoNode')) return undefined;
    throw error;
  }
}
