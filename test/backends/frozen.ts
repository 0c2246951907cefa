import { expect } from 'vitest';
import type { Connection } from '../../src/topo/connection.js';
import { FaultWay, type Member } from '../servers/index.js';
import { codeOf } from './writers.js';

/**
 * Has a connection write, and do nothing else, whose first member freezes: the write that it has then is in doubt, the next one goes to the
 * `other` member.
 */
export async function writesLeave(
  frozen: Member,
  other: Member,
  connect: (servers: string) => Promise<Connection>,
): Promise<void> {
  const way = await FaultWay.to(other.address);
  // Who answers first when connecting is asked first.
  for (const proxy of way.proxies) proxy.shape('answers', { latencyMs: 2_000 });
  const connection = await connect(`${frozen.address},${way.servers}`);
  try {
    await way.mend();
    const write = (text: string, deadline?: number) =>
      codeOf(connection.update('alone', Buffer.from(text), null, { deadline }));
    expect(await write('0')).toBeUndefined();
    frozen.freeze();
    expect(await write('1', Date.now() + 2_000)).toBe('OutcomeUnknown');
    expect(await write('2')).toBeUndefined();
  } finally {
    frozen.thaw();
    await connection.close();
    await way.close();
  }
}
