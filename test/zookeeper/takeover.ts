import { parseServer } from '../../src/zookeeper/address.js';
import { type SessionCredentials, ZkCode, ZooKeeperError } from '../../src/zookeeper/client.js';
import { Connection } from '../../src/zookeeper/connection.js';
import { Fifo } from '../../src/zookeeper/fifo.js';

function takeOver(server: string, credentials: SessionCredentials): Connection {
  return new Connection({
    server: parseServer(server),
    limitMs: 5_000,
    sessionTimeoutMs: 10_000,
    credentials,
    lastZxid: 0n,
    auth: [],
    legacy: true,
    maxAnswerBytes: 1_000_000,
    waiting: new Fifo(),
    security: undefined,
    life: undefined,
    onNotification: () => {},
  });
}

/** Breaks somebody's connection at the server, which leaves the session alive: takes it over and lets it go at once. */
export async function cutConnectionOf(server: string, credentials: SessionCredentials): Promise<void> {
  const connection = takeOver(server, credentials);
  // Not answered: the owner was quick to take it back, so that its connection was broken all the same.
  await connection.ready.catch(() => {});
  connection.end(new ZooKeeperError(ZkCode.Closed, 'it was enough'));
}

/**
 * Ends somebody's session: takes it over on a connection of its own and closes it. The owner, who reconnects at once,
 * may take it back in between, so that this is repeated until the server says that the session has expired.
 */
export async function endSessionOf(server: string, credentials: SessionCredentials): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const connection = takeOver(server, credentials);
    try {
      await connection.ready;
    } catch (error) {
      if (error instanceof ZooKeeperError && error.code === ZkCode.SessionExpired) return;
    }
    await connection.closeSession(5_000);
  }
  throw new Error('the session could not be ended');
}
