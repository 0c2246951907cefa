import { setImmediate as turn } from 'node:timers/promises';
import { backend } from '../../src/backends/memory/index.js';
import type { Clock } from '../../src/topo/clock.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';
import type { OpenOptions } from '../conformance/index.js';
import type { ManualClock } from '../support/manual-clock.js';

let stores = 0;

/** A connection to a memory store of its own. */
export function openMemory(clock: Clock = systemClock): Promise<Connection> {
  stores += 1;
  return openMemoryAt(`etcd:wrappers-${stores}`, '/vitess/global', { clock });
}

/** A connection to a root of a memory store. */
export function openMemoryAt(
  server: string,
  root: string,
  { clock = systemClock, requestTimeoutMs = 10_000 }: OpenOptions & { clock?: Clock } = {},
): Promise<Connection> {
  const address = { implementation: 'memory', server, root } as const;
  return backend.connect(address, { clock, random: Math.random, connectTimeoutMs: 10_000, requestTimeoutMs });
}

/** Waits for `work`, with a clock that goes on a millisecond whenever nothing else happens. */
export async function drive<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false;
  const mark = () => {
    over = true;
  };
  work.then(mark, mark);
  while (!over) {
    await turn();
    clock.advance(1);
  }
  return work;
}
