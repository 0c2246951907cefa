import assert from 'node:assert/strict';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';
import type { Version } from '../../src/topo/version.js';
import { pause, scanAll, utf8 } from './tools.js';

const CALL_MS = 2_000;
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const deadline = () => ({ deadline: Date.now() + CALL_MS });

/** Writers that go on while servers and connections come and go. */
export interface Writers {
  /** How many writes were acknowledged so far. */
  acknowledged(): number;
  /** Ends them; rejects when one of them was told what cannot be. */
  stop(): Promise<void>;
  /** Every write that was acknowledged is found through `connection`. */
  allThere(connection: Connection): Promise<void>;
}

/**
 * Many writers, so that some writes are between being applied and being answered when something breaks. Each has
 * records of its own: NodeExists, BadVersion or NoNode could only mean that a write met its own traces. `deleting`:
 * whether some of them delete what they made.
 */
export function writersWithoutRivals(connection: Connection, deleting = true): Writers {
  const present = new Map<string, string>();
  const gone = new Set<string>();
  const loops = [
    ...range(24).map((writer) =>
      keepWriting((i) => createNext(connection, `created/${writer}/${i}`, present)),
    ),
    ...range(16).map((writer) => keepWriting(counter(connection, `counters/${writer}`, present))),
    ...range(deleting ? 8 : 0).map((writer) =>
      keepWriting((i) => comeAndGo(connection, `passing/${writer}/${i}`, gone)),
    ),
  ];
  return {
    acknowledged: () => present.size + gone.size + sum(present),
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
    allThere: async (reader) => {
      const { records } = await scanAll(reader);
      const found = new Map(records.map(({ path, bytes }) => [path, Buffer.from(bytes).toString()]));
      const lost = [...present].filter(([path, text]) =>
        path.startsWith('counters/') ? Number(found.get(path)) < Number(text) : found.get(path) !== text,
      );
      assert.deepEqual(lost, [], 'acknowledged, and not there');
      assert.deepEqual(
        [...gone].filter((path) => found.has(path)),
        [],
        'deleted, and still there',
      );
    },
  };
}

function sum(present: ReadonlyMap<string, string>): number {
  let total = 0;
  for (const [path, text] of present) if (path.startsWith('counters/')) total += Number(text);
  return total;
}

/** Runs `write` again and again until told to stop; the server may go away meanwhile. */
export function keepWriting(write: (i: number) => Promise<void>): { stop: () => Promise<void> } {
  let running = true;
  const done = (async () => {
    for (let i = 0; running; i++) {
      try {
        await write(i);
      } catch (error) {
        if (!isTopologyError(error, 'Unavailable', 'Timeout', 'OutcomeUnknown')) throw error;
        await pause(20);
      }
    }
  })();
  done.catch(() => {});
  return {
    stop: () => {
      running = false;
      return done;
    },
  };
}

async function createNext(connection: Connection, path: string, present: Map<string, string>): Promise<void> {
  await connection.create(path, utf8(path), deadline());
  present.set(path, path);
}

async function comeAndGo(connection: Connection, path: string, gone: Set<string>): Promise<void> {
  const version = await connection.create(path, utf8(path), deadline());
  await connection.delete(path, version, deadline());
  gone.add(path);
}

/**
 * Counts a record up by conditional updates. A refusal is believed only while a write of unknown outcome may still be
 * on its way; then it reads how far it came.
 */
function counter(connection: Connection, path: string, present: Map<string, string>): () => Promise<void> {
  let version: Version | undefined;
  let count = 0;
  let doubt = false;
  return async () => {
    try {
      if (version === undefined) {
        const found = await connection.get(path, deadline()).catch((error: unknown) => {
          if (isTopologyError(error, 'NoNode')) return undefined;
          throw error;
        });
        count = found === undefined ? 0 : Number(Buffer.from(found.bytes).toString());
        version = found?.version ?? (await connection.create(path, utf8('0'), deadline()));
      }
      version = await connection.update(path, utf8(String(count + 1)), version, deadline());
      count += 1;
      doubt = false;
      present.set(path, String(count));
    } catch (error) {
      doubt ||= isTopologyError(error, 'OutcomeUnknown');
      if (doubt) version = undefined;
      if (!(doubt && isTopologyError(error, 'NodeExists', 'BadVersion'))) throw error;
    }
  };
}
