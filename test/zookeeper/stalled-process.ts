/**
 * A program that holds a session which is not renewed, reads without pause, and stands still at some time: because it
 * is busy (`busy <ms>`), or because it stops itself until somebody continues it (`paused`). It prints a line of JSON when
 * it has begun, and one when the session is over, which says what it had been told by then.
 *
 * Arguments: servers, path of an ephemeral node to create, session time-out in ms, `busy` and ms, or `paused`.
 */

import { ZooKeeperError } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';

const [servers = '', path = '', timeout = '', , busyMs] = process.argv.slice(2);
const client = await connectOwnClient({
  servers: servers.split(','),
  sessionTimeoutMs: Number(timeout),
  renewSession: false,
});
await client.create({ path, data: null, acl: [{ perms: 31, scheme: 'world', id: 'anyone' }], mode: 1 });
let answeredAt = performance.now();
let told: { quietMs: number } | undefined;
let answersAfterwards = 0;
client.expired.addEventListener('abort', () => {
  told = { quietMs: performance.now() - answeredAt };
});
/** Reads until that fails; gives the code. */
async function read(): Promise<number> {
  for (;;) {
    try {
      await client.exists(path);
    } catch (error) {
      if (error instanceof ZooKeeperError) return error.code;
      throw error;
    }
    answeredAt = performance.now();
    if (told !== undefined) answersAfterwards++;
  }
}
const readers = Array.from({ length: 4 }, read);
process.stdout.write(`${JSON.stringify({ timeoutMs: client.sessionTimeoutMs })}\n`);
// Reads are in flight then, and their answers wait in the socket until the end of this. A signal from outside would
// now and then fall between an answer and the reader it wakes, which no client can see.
setTimeout(() => {
  if (busyMs === undefined) process.kill(process.pid, 'SIGSTOP');
  const until = performance.now() + Number(busyMs ?? 0);
  while (performance.now() < until);
}, 300);
const codes = await Promise.all(readers);
const later = await client.exists(path).catch((error: ZooKeeperError) => error.code);
process.stdout.write(`${JSON.stringify({ ...told, codes, later, answersAfterwards })}\n`);
