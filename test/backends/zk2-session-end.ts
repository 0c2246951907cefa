import { connect } from 'node:net';

/** What ZooKeeper's servers make passwords from (ZooKeeperServer.superSecret), the same in every release. */
const SECRET = 0xb3415c00n;
/** Java's java.util.Random: a linear congruential generator of 48 bits. */
const MULTIPLIER = 0x5deece66dn;
const MASK = (1n << 48n) - 1n;

const PASSWORD_BYTES = 16;
/** Version, latest zxid, time-out, session, length of the password and the password, read-only. */
const CONNECT_BYTES = 4 + 8 + 4 + 8 + 4 + PASSWORD_BYTES + 1;
const SESSION_MS = 10_000;
const CLOSE_SESSION = -11;
/** Time for one attempt, in milliseconds. */
const ATTEMPT_MS = 2_000;

/** The password that every ZooKeeper server gives the session `id`. */
function passwordOf(id: bigint): Buffer {
  let state = (BigInt.asUintN(64, id) ^ SECRET ^ MULTIPLIER) & MASK;
  const password = Buffer.alloc(PASSWORD_BYTES);
  for (let at = 0; at < password.length; at += 4) {
    state = (state * MULTIPLIER + 0xbn) & MASK;
    password.writeUInt32LE(Number((state >> 16n) & 0xffffffffn), at);
  }
  return password;
}

/** Requests to take a session over and to end it, in one piece. */
function takeAndClose(id: bigint): Buffer {
  const frames = Buffer.alloc(4 + CONNECT_BYTES + 4 + 8);
  let at = frames.writeInt32BE(CONNECT_BYTES, 0);
  // Version of the protocol, and the latest zxid that the client has seen: both 0.
  at = frames.writeInt32BE(SESSION_MS, at + 4 + 8);
  at = frames.writeBigUInt64BE(BigInt.asUintN(64, id), at);
  at = frames.writeInt32BE(PASSWORD_BYTES, at);
  at += passwordOf(id).copy(frames, at);
  // Whether a server without a quorum will do: no.
  at = frames.writeInt32BE(8, at + 1);
  at = frames.writeInt32BE(1, at);
  frames.writeInt32BE(CLOSE_SESSION, at);
  return frames;
}

/**
 * Ends a session as its time-out would, whoever has it. Its owner loses the connection by that, and takes the session
 * back within a moment: so the end of it is asked for in the same breath, and again until it was answered.
 */
export async function endSession(servers: string, id: bigint): Promise<void> {
  const [host, port] = (servers.split(',')[0] ?? '').split(':');
  for (;;) {
    const received = await new Promise<Buffer>((resolve) => {
      const socket = connect({ host: host ?? '', port: Number(port), timeout: ATTEMPT_MS });
      const chunks: Buffer[] = [];
      socket.on('connect', () => socket.write(takeAndClose(id)));
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('timeout', () => socket.destroy());
      socket.on('error', () => {});
      socket.on('close', () => resolve(Buffer.concat(chunks)));
    });
    // Of a session that is over, the time-out that is granted is 0.
    if (received.length >= 12 && received.readInt32BE(8) <= 0) return;
    const first = received.length < 4 ? 0 : 4 + received.readInt32BE(0);
    // The answer to the second request: its number 1.
    if (received.length >= first + 8 && first > 0 && received.readInt32BE(first + 4) === 1) return;
  }
}
