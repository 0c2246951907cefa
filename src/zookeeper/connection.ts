import type { Socket } from 'node:net';
import type { ServerAddress } from './address.js';
import { Call } from './call.js';
import { type SessionCredentials, ZkCode, ZooKeeperError } from './client.js';
import { connectionLoss, connectProblem, isCut, serverError } from './errors.js';
import { Fifo } from './fifo.js';
import { FrameSplitter } from './frames.js';
import { greeting, readGreeting, refuseStranger } from './handshake.js';
import { JuteReader, malformed } from './jute.js';
import type { Life } from './life.js';
import { isModern, type Operation, operations, watcherEvent, Xid } from './protocol.js';
import { encodeRequest } from './requests.js';
import { openSocket, type Security } from './tls.js';

/** Where and how to connect. */
export interface ConnectionSettings {
  readonly server: ServerAddress;
  /** Milliseconds until the connection must be ready for requests. */
  readonly limitMs: number;
  readonly sessionTimeoutMs: number;
  readonly credentials: SessionCredentials;
  /** Newest zxid seen in this session: a server that is behind it refuses the connection. */
  readonly lastZxid: bigint;
  readonly auth: readonly { readonly scheme: string; readonly auth: string }[];
  /** Whether the server is known to be older than 3.6. */
  readonly legacy: boolean;
  /** Longest answer in bytes. */
  readonly maxAnswerBytes: number;
  /** Requests to send, in this order; taken from here as fast as the socket takes them. */
  readonly waiting: Fifo<Call>;
  /** Absent: no TLS. */
  readonly security: Security | undefined;
  /** Of the session, where it is not renewed: when that is over nothing more is answered. */
  readonly life: Life | undefined;
  onNotification(eventType: number, path: string, zxid: bigint): void;
}

/** Requests of one turn of the event loop go to the socket together, at most this many bytes at a time. */
const WRITE_BYTES = 1 << 16;
/** No further request is handed to a socket that still holds this many bytes. */
const SOCKET_BYTES = 1 << 20;
const READ_BYTES = 1 << 17;
const MAX_XID = 0x7fff_ffff;

type Phase = 'handshake' | 'preparing' | 'ready' | 'closed';

/**
 * One TCP connection to one server, from the handshake to its end. It ends once, with a reason: then calls in flight
 * are failed, and `ended` resolves.
 */
export class Connection {
  readonly server: ServerAddress;
  /** Resolves when the connection is ready for requests; rejects with the reason when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the connection has ended. */
  readonly ended: Promise<ZooKeeperError>;
  /** Of the session; valid from `ready` on. */
  credentials: SessionCredentials;
  /** Negotiated time-out of the session in milliseconds; valid from `ready` on. */
  timeoutMs = 0;
  lastZxid: bigint;

  readonly #settings: ConnectionSettings;
  readonly #socket: Socket;
  readonly #splitter: FrameSplitter;
  readonly #reader = new JuteReader();
  readonly #inFlight = new Fifo<Call>();
  #phase: Phase = 'handshake';
  #xid = 0;
  #authAnswers = 0;
  #probed: boolean;
  #heardAt = 0;
  #sentAt = 0;
  /** When each ping that was not answered yet had been sent. */
  readonly #pings = new Fifo<number>();
  /** Whether the connection is there and, with TLS, the servers' certificate was accepted. */
  #opened = false;
  #flush: NodeJS.Immediate | undefined;
  #verdict: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout;
  #resolveReady: () => void = () => {};
  #rejectReady: (reason: ZooKeeperError) => void = () => {};
  #resolveEnded: (reason: ZooKeeperError) => void = () => {};

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
    this.server = settings.server;
    this.credentials = settings.credentials;
    this.lastZxid = settings.lastZxid;
    this.#probed = settings.legacy;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    this.ready.catch(() => {});
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#splitter = new FrameSplitter(settings.maxAnswerBytes, (bytes, start, end) =>
      this.#frame(bytes, start, end),
    );
    this.#timer = setTimeout(
      () => this.end(connectionLoss(`no answer within ${Math.round(settings.limitMs)} ms`)),
      settings.limitMs,
    );
    this.#socket = this.#open();
  }

  /** Calls that were sent and not answered yet. */
  get inFlight(): Iterable<Call> {
    return this.#inFlight;
  }

  /** Whether this server does not know the operation. */
  lacks(operation: { readonly code: number }): boolean {
    return this.#settings.legacy && isModern(operation);
  }

  /** Tells that `waiting` has something. Sending happens at the end of this turn of the event loop. */
  wake(): void {
    if (this.#phase !== 'ready') return;
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      this.#pump();
    });
  }

  /** Closes the socket at once. Calls in flight are failed with `reason`'s code. */
  end(reason: ZooKeeperError): void {
    // A process that was stopped may hear of the end of its connection before its timers run. The session's end counts.
    this.#settings.life?.isOver(performance.now());
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    clearTimeout(this.#timer);
    clearImmediate(this.#flush);
    clearImmediate(this.#verdict);
    this.#socket.destroy();
    for (const call of this.#inFlight.drain()) {
      call.fail(reason.code, `connection to ${this.server.text}: ${reason.message}`, reason);
    }
    this.#rejectReady(reason);
    this.#resolveEnded(reason);
  }

  /** Tells the server that the session is over, then ends the connection. Resolves when it has ended. */
  async closeSession(limitMs: number): Promise<void> {
    const end = (): void => this.end(connectionLoss('the session was closed'));
    if (this.#phase === 'ready') {
      clearTimeout(this.#timer);
      clearImmediate(this.#verdict);
      this.#timer = setTimeout(end, limitMs);
      this.#write(this.#hand(this.#internal(operations.closeSession, {}, end, end)));
    } else {
      end();
    }
    await this.ended;
  }

  #open(): Socket {
    // One buffer for everything read, in place of a new one for each read. Whoever keeps bytes copies them.
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const { credentials, lastZxid, sessionTimeoutMs, security } = this.#settings;
    const options = {
      host: this.server.host,
      port: this.server.port,
      noDelay: true,
      onread: {
        buffer,
        callback: (length: number) => {
          this.#received(buffer.subarray(0, length));
          return true;
        },
      },
    };
    const socket = openSocket(options, security, () => {
      this.#opened = true;
      this.#write(greeting(credentials, lastZxid, sessionTimeoutMs));
    });
    socket.on('drain', () => this.wake());
    socket.on('error', (error) => {
      const why =
        isCut(error) && this.#phase === 'handshake' ? this.#closedByServer() : connectProblem(error);
      this.end(connectionLoss(why, error));
    });
    const closed = (): void => this.end(connectionLoss(this.#closedByServer()));
    socket.on('end', closed);
    socket.on('close', closed);
    return socket;
  }

  #closedByServer(): string {
    if (this.#phase !== 'handshake') return 'the server closed it';
    if (!this.#opened) {
      return 'the server closed it before TLS was agreed on (it may speak no TLS there, or still be starting)';
    }
    const reasons = [
      'still be starting',
      'have no quorum',
      ...(this.#settings.lastZxid > 0n ? ['be behind what this client has seen'] : []),
      this.#settings.security === undefined ? 'want TLS' : 'want another client certificate',
      'be no ZooKeeper',
    ];
    return `the server closed it without an answer (it may ${reasons.join(', or ')})`;
  }

  #write(bytes: Buffer): void {
    this.#sentAt = performance.now();
    this.#settings.life?.sent(this.#sentAt);
    this.#socket.write(bytes);
  }

  #received(chunk: Buffer): void {
    const first = this.#heardAt === 0;
    this.#heardAt = performance.now();
    try {
      if (first) refuseStranger(chunk);
      this.#splitter.push(chunk);
    } catch (error) {
      this.end(error instanceof ZooKeeperError ? error : malformed(String(error)));
    }
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    if (this.#phase === 'closed') return;
    const reader = this.#reader.over(bytes, start, end);
    if (this.#phase === 'handshake') {
      this.#connected(reader);
      return;
    }
    const xid = reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (zxid > this.lastZxid) this.lastZxid = zxid;
    if (this.#outlived(xid)) return;
    if (xid === Xid.Ping) return;
    if (xid === Xid.Notification) {
      const event = watcherEvent.read(reader);
      this.#settings.onNotification(event.type, event.path, zxid);
    } else if (xid === Xid.Auth) {
      this.#authenticated(code);
    } else {
      this.#answered(xid, zxid, code, reader);
    }
  }

  /** Whether the session is over for all that the answer to `xid`, which arrived just now, can prove. */
  #outlived(xid: number): boolean {
    const { life } = this.#settings;
    const sentAt = xid === Xid.Ping ? this.#pings.shift() : this.#inFlight.peek()?.sentAt;
    if (life === undefined) return false;
    if (sentAt !== undefined && xid !== Xid.Notification && xid !== Xid.Auth) life.proven(sentAt);
    return life.isOver(this.#heardAt);
  }

  #answered(xid: number, zxid: bigint, code: ZkCode, reader: JuteReader): void {
    const call = this.#inFlight.peek();
    if (call === undefined || call.xid !== xid) {
      throw malformed(`an answer to request ${xid} where ${call?.xid ?? 'none'} was due`);
    }
    call.answer(code, zxid, reader);
    this.#inFlight.shift();
    if (code === ZkCode.SessionExpired || code === ZkCode.SessionMoved) {
      this.end(connectionLoss(serverError('session', code).message));
    }
  }

  #connected(reader: JuteReader): void {
    // So far the greeting is all that was sent.
    const greetedAt = this.#sentAt;
    const { credentials, timeoutMs } = readGreeting(reader);
    this.#settings.life?.granted(greetedAt, timeoutMs);
    this.credentials = credentials;
    this.timeoutMs = timeoutMs;
    this.#phase = 'preparing';
    for (const { scheme, auth } of this.#settings.auth) {
      const request = { kind: 0, scheme, auth: Buffer.from(auth) };
      const frame = encodeRequest(operations.auth, request);
      frame.writeInt32BE(Xid.Auth, 4);
      this.#write(frame);
    }
    if (!this.#probed) this.#probe();
    this.#become();
  }

  /**
   * Asks with an empty multiRead whether the server is 3.6 or later. An older one answers Unimplemented and cuts the
   * connection, and with it whatever else was sent: so that is found out before anything else is.
   */
  #probe(): void {
    const known = (): void => {
      this.#probed = true;
      this.#become();
    };
    const refused = (error: ZooKeeperError): void => {
      if (error.code === ZkCode.Unimplemented) this.end(error);
      else known();
    };
    this.#write(this.#hand(this.#internal(operations.multiRead, [], known, refused)));
  }

  #internal<Q>(
    operation: Operation<Q, unknown>,
    request: Q,
    accept: () => void,
    reject: (error: ZooKeeperError) => void,
  ): Call {
    const frame = encodeRequest(operation, request);
    const deadline = Number.POSITIVE_INFINITY;
    return new Call({ operation, frame, path: undefined, deadline, signal: undefined, accept, reject });
  }

  #authenticated(code: ZkCode): void {
    if (code !== 0) {
      const message = 'the server refused the credentials given for it';
      this.end(new ZooKeeperError(ZkCode.AuthFailed, message));
      return;
    }
    this.#authAnswers++;
    this.#become();
  }

  #become(): void {
    if (this.#phase !== 'preparing' || !this.#probed) return;
    if (this.#authAnswers < this.#settings.auth.length) return;
    this.#phase = 'ready';
    this.#watchOver();
    this.#resolveReady();
    this.#pump();
  }

  #pump(): void {
    const { waiting } = this.#settings;
    while (waiting.size > 0 && this.#socket.writableLength < SOCKET_BYTES) {
      const frames: Buffer[] = [];
      let bytes = 0;
      while (bytes < WRITE_BYTES) {
        const call = waiting.shift();
        if (call === undefined) break;
        if (!call.prepare((operation) => this.lacks(operation))) continue;
        const frame = this.#hand(call);
        frames.push(frame);
        bytes += frame.length;
      }
      const [first] = frames;
      if (first !== undefined) this.#write(frames.length === 1 ? first : Buffer.concat(frames, bytes));
    }
  }

  #hand(call: Call): Buffer {
    this.#xid = this.#xid === MAX_XID ? 1 : this.#xid + 1;
    this.#inFlight.push(call);
    return call.send(this.#xid, performance.now());
  }

  /** Pings after a third of the session's time-out without sending, and gives up after two thirds of silence. */
  #watchOver(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const pingAt = this.#sentAt + this.timeoutMs / 3;
    const giveUpAt = this.#heardAt + (2 * this.timeoutMs) / 3;
    if (now >= giveUpAt) {
      this.end(connectionLoss(`nothing was heard for ${Math.round(now - this.#heardAt)} ms`));
      return;
    }
    if (now >= pingAt) {
      const ping = encodeRequest(operations.ping, {});
      ping.writeInt32BE(Xid.Ping, 4);
      this.#write(ping);
      this.#pings.push(this.#sentAt);
    }
    const next = Math.min(this.#sentAt + this.timeoutMs / 3, giveUpAt);
    this.#timer = setTimeout(
      () => {
        // Sockets are read between a timer and this: after a stall of our own, what the server said meanwhile counts.
        this.#verdict = setImmediate(() => this.#watchOver());
      },
      Math.max(1, next - now),
    );
  }
}
