import { parseServer } from '../../src/zookeeper/address.js';
import { ZkCode, ZooKeeperError } from '../../src/zookeeper/client.js';
import { Connection } from '../../src/zookeeper/connection.js';
import { Fifo } from '../../src/zookeeper/fifo.js';
import type { Credentials } from '../../src/zookeeper/handshake.js';

/**
 * Ends somebody's session: takes it over on a connection of its own and closes it. The owner, who reconnects at once,
 * may take it back in between, so that this is repeated until the server says that the session has expired.
 */
export async function endSessionOf(server: string, credentials: Credentials): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const connection = new Connection({
      server: parseServer(server),
      limitMs: 5_000,
      sessionTimeoutMs: 10_000,
      credentials,
      lastZxid: 0n,
      auth: [],
      legacy: true,
      maxAnswerBytes: 1_000_000,
      waiting: new Fifo(),
      onNotification: () => {},
    });
    try {
      await connection.ready;
    } catch (error) {
      if (error instanceof ZooKeeperError && error.code === ZkCode.SessionExpired) return;
    }
    await connection.closeSession(5_000);
  }
  throw new Error('the session could not be ended');
}
