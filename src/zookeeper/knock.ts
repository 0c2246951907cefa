import { connect } from 'node:net';
import type { ServerAddress } from './address.js';
import { connectionLoss, connectProblem } from './errors.js';

/**
 * Whether any of the servers takes a TCP connection. Rejects with ConnectionLoss, saying what is wrong with each of
 * them, when none does.
 */
export async function knock(servers: readonly ServerAddress[], limitMs: number): Promise<void> {
  const reasons: string[] = [];
  const sockets = servers.map(({ host, port }) => connect({ host, port, timeout: limitMs }));
  const answers = sockets.map(
    (socket, i) =>
      new Promise<void>((resolve, reject) => {
        const fail = (why: string): void => {
          reasons.push(`${servers[i]?.text}: ${why}`);
          reject(connectionLoss(why));
        };
        socket.on('connect', resolve);
        socket.on('timeout', () => fail(`no answer within ${limitMs} ms`));
        socket.on('error', (error) => fail(connectProblem(error)));
      }),
  );
  try {
    await Promise.any(answers);
  } catch (error) {
    throw connectionLoss(`no ZooKeeper server could be reached: ${reasons.join('; ')}`, error);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
