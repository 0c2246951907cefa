import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { backend } from '../../src/backends/file/index.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import { isTopologyError } from '../../src/topo/errors.js';

/** A process beside the test's own that works on the same file; it says on its output what is done. */
const WORK: Readonly<Record<string, (connection: Connection, count: number) => Promise<void>>> = {
  /** Writes batches of 50 records without end, and says the number of each that was acknowledged. */
  async batches(connection) {
    for (let batch = 0; ; batch++) {
      const value = Buffer.alloc(500, batch % 256);
      await connection.write(
        Array.from({ length: 50 }, (_, i) => ({
          type: 'create',
          path: `batches/${batch}/${i}`,
          bytes: value,
        })),
      );
      console.log(batch);
    }
  },

  /** Writes `count` records of 2000 bytes, says `written`, and when it may go on closes the file, which rewrites it. */
  async fold(connection, count) {
    for (let first = 0; first < count; first += 1000) {
      const value = Buffer.alloc(2000, 1);
      await connection.write(
        Array.from({ length: Math.min(1000, count - first) }, (_, i) => ({
          type: 'create',
          path: `fold/${first + i}`,
          bytes: value,
        })),
      );
    }
    console.log('written');
    await once(process.stdin, 'data');
    process.stdin.destroy();
  },

  /** Adds 1 to the record `counter`, `count` times. */
  async increment(connection, count) {
    for (let done = 0; done < count; ) {
      const { bytes, version } = await connection.get('counter');
      const next = Buffer.from(String(Number(Buffer.from(bytes).toString()) + 1));
      try {
        await connection.update('counter', next, version);
        done += 1;
      } catch (error) {
        if (!isTopologyError(error, 'BadVersion')) throw error;
      }
    }
  },

  /** Writes batches of about 300 kB until one fails, says its number and code, and then writes `small`. */
  async full(connection) {
    for (let batch = 0; ; batch++) {
      const value = Buffer.alloc(22_000, batch);
      const ops = Array.from({ length: 10 }, (_, i) => ({
        type: 'create' as const,
        path: `${batch}/${i}`,
        bytes: value,
      }));
      const outcome = await connection.write(ops).catch((error: unknown) => error);
      if (!isTopologyError(outcome)) continue;
      console.log(`${batch} ${outcome.code}`);
      await connection.create('small', value.subarray(0, 10));
      return;
    }
  },

  /** Locks the directory `d`, says `held`, and gives it back when it may go on. */
  async hold(connection) {
    const lock = await connection.lock('d', 'other process');
    console.log('held');
    await once(process.stdin, 'data');
    process.stdin.destroy();
    await lock.unlock();
  },

  /** Leads the election `e` until it may go on. */
  async lead(connection) {
    const lock = await connection.campaign('e', `process ${process.pid}`);
    console.log('leads');
    await once(process.stdin, 'data');
    process.stdin.destroy();
    await lock.unlock();
  },

  /** Adds 1 to the number in a file beside the topology, `count` times, with nothing to guard it but the lock of `d`. */
  async guarded(connection, count) {
    const file = `${server}.number`;
    for (let done = 0; done < count; done++) {
      const lock = await connection.lock('d', 'adds');
      const number = Number(await readFile(file, 'utf8'));
      await lock.check();
      await writeFile(file, String(number + 1));
      await lock.unlock();
    }
  },

  /** Nothing: for a process number that no process has any more. */
  async nothing() {},
};

const [what = '', server = '', count = '0'] = process.argv.slice(2);
const connection = await backend.connect(
  { implementation: 'file', server, root: '/global' },
  { clock: systemClock, random: Math.random, connectTimeoutMs: 10_000, requestTimeoutMs: 30_000 },
);
await WORK[what]?.(connection, Number(count));
await connection.close();
