import { createServer, type Socket } from 'node:net';
import { FrameSplitter } from '../../src/zookeeper/frames.js';

/** Opcodes the scripts of these tests look at. */
export const Opcode = {
  exists: 3,
  getData: 4,
  setData: 5,
  ping: 11,
  multiRead: 22,
  auth: 100,
  closeSession: -11,
};

/** A request as it arrived. */
export interface ArrivedRequest {
  readonly xid: number;
  readonly opcode: number;
}

/** One connection of a client, as the server sees it. */
export interface HostileConnection {
  readonly socket: Socket;
  /** Counts from 1, over all connections of the server. */
  readonly number: number;
  /** The answer that an honest server would give, with any body. */
  answer(request: ArrivedRequest, code?: number, body?: Buffer): void;
  /** Any bytes. */
  send(...hex: string[]): void;
}

/** What a hostile server does; where it says nothing, it behaves. */
export interface Script {
  /** Called instead of answering the handshake. */
  connect?(connection: HostileConnection, handshake: Buffer): void;
  /** Called instead of answering a request; `true` asks for the honest answer after all. */
  request?(connection: HostileConnection, request: ArrivedRequest): boolean | undefined;
  /** Called for every read of the socket. */
  data?(chunk: Buffer): void;
  /** Negotiated session time-out. Default 6,000. */
  timeoutMs?: number;
}

export interface HostileServer {
  readonly address: string;
  /** Everything that arrived, pings, probes and closeSession left out. */
  readonly requests: readonly ArrivedRequest[];
  readonly connections: number;
  close(): Promise<void>;
}

/** Stat of a node that has nothing special. */
const STAT = Buffer.alloc(68);
/** What getData answers: the data `v`, and a Stat. */
export const DATA = Buffer.concat([Buffer.from('0000000176', 'hex'), STAT]);
const BATCH_END = Buffer.from('ffffffff01ffffffff', 'hex');
const UNSEEN = new Set([Opcode.ping, Opcode.multiRead, Opcode.closeSession, Opcode.auth]);
const SESSION = 0x1234n;

/** A length before the bytes. */
export function framedBytes(...parts: readonly Buffer[]): Buffer {
  const payload = Buffer.concat(parts);
  const head = Buffer.alloc(4);
  head.writeInt32BE(payload.length);
  return Buffer.concat([head, payload]);
}

/** Header of an answer. */
export function answerHeader(xid: number, code = 0, zxid = 7n): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32BE(xid);
  header.writeBigInt64BE(zxid, 4);
  header.writeInt32BE(code, 12);
  return header;
}

/** The answer to a handshake; time-out 0 says that the session has expired. */
export function handshakeAnswer(timeoutMs: number, session = SESSION): Buffer {
  const body = Buffer.alloc(37);
  body.writeInt32BE(timeoutMs, 4);
  body.writeBigInt64BE(timeoutMs === 0 ? 0n : session, 8);
  body.writeInt32BE(16, 16);
  return framedBytes(body);
}

function honestBody(opcode: number): Buffer {
  if (opcode === Opcode.multiRead) return BATCH_END;
  if (opcode === Opcode.getData) return DATA;
  return opcode === Opcode.exists || opcode === Opcode.setData ? STAT : Buffer.alloc(0);
}

/** A server on loopback that speaks enough of ZooKeeper's protocol to misbehave at a chosen point. */
export async function hostileServer(script: Script): Promise<HostileServer> {
  const requests: ArrivedRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const connection: HostileConnection = {
      socket,
      number: ++connections,
      answer: ({ xid }, code = 0, body = Buffer.alloc(0)) =>
        void socket.write(framedBytes(answerHeader(xid, code), body)),
      send: (...hex) => void socket.write(Buffer.from(hex.join(''), 'hex')),
    };
    let greeted = false;
    const splitter = new FrameSplitter(1 << 24, (bytes, start, end) => {
      if (!greeted) {
        greeted = true;
        if (script.connect) script.connect(connection, Buffer.from(bytes.subarray(start, end)));
        else socket.write(handshakeAnswer(script.timeoutMs ?? 6_000));
        return;
      }
      const request = { xid: bytes.readInt32BE(start), opcode: bytes.readInt32BE(start + 4) };
      if (!UNSEEN.has(request.opcode)) requests.push(request);
      const honest = script.request?.(connection, request) ?? UNSEEN.has(request.opcode);
      if (honest) connection.answer(request, 0, honestBody(request.opcode));
      if (honest && request.opcode === Opcode.closeSession) socket.end();
    });
    socket.on('data', (chunk) => {
      script.data?.(chunk);
      splitter.push(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return {
    address: `127.0.0.1:${bound.port}`,
    requests,
    get connections() {
      return connections;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
