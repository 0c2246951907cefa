import { type SessionCredentials, ZkCode, ZooKeeperError } from './client.js';
import { type JuteReader, malformed } from './jute.js';
import { connectAnswer, connectRequest } from './protocol.js';
import { framed } from './requests.js';

/** Credentials that ask for a new session. */
export const NEW_SESSION: SessionCredentials = { id: 0n, password: Buffer.alloc(16) };

const TLS_ALERT = 0x15;
const TLS_HANDSHAKE = 0x16;

/**
 * The first message of a connection.
 *
 * @param lastZxid newest zxid seen: a server that is behind it closes the connection
 */
export function greeting(
  credentials: SessionCredentials,
  lastZxid: bigint,
  sessionTimeoutMs: number,
): Buffer {
  return framed(connectRequest, {
    protocolVersion: 0,
    lastZxidSeen: lastZxid,
    timeoutMs: sessionTimeoutMs,
    sessionId: credentials.id,
    password: credentials.password,
    readOnly: false,
  });
}

/** The server's answer to it. Throws SessionExpired, or MarshallingError when it is none. */
export function readGreeting(reader: JuteReader): { credentials: SessionCredentials; timeoutMs: number } {
  const { protocolVersion, timeoutMs, sessionId, password } = connectAnswer.read(reader);
  if (protocolVersion !== 0) throw stranger();
  if (timeoutMs <= 0 || sessionId === 0n) {
    throw new ZooKeeperError(ZkCode.SessionExpired, 'the session has expired');
  }
  return { credentials: { id: sessionId, password: password ?? NEW_SESSION.password }, timeoutMs };
}

/** Throws MarshallingError for the first bytes of a server that is no ZooKeeper, saying what it is where they tell. */
export function refuseStranger(firstBytes: Buffer): void {
  const [first, second] = firstBytes;
  if ((first === TLS_ALERT || first === TLS_HANDSHAKE) && second === 3) {
    throw malformed('the server speaks TLS, and was spoken to without');
  }
  // The answer's length is a number below 2^24.
  if (first !== 0) throw stranger();
}

function stranger(): ZooKeeperError {
  return malformed('the server is no ZooKeeper');
}
