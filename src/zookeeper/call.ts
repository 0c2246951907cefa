import { type AbortingSignal, ZkCode, ZooKeeperError } from './client.js';
import { serverError } from './errors.js';
import type { JuteReader } from './jute.js';
import type { Operation } from './protocol.js';

/** A request's frame begins with its length, its xid and its opcode. */
const XID_AT = 4;
const OPCODE_AT = 8;

/** What a call is made of. */
export interface CallParts<A> {
  readonly operation: Operation<never, A>;
  /** Sent instead to a server without `operation`; its request has the same form. */
  readonly fallback?: Operation<never, A> | undefined;
  /** The whole request with its length before it; the xid is filled in when it is sent. */
  readonly frame: Buffer;
  readonly path: string | undefined;
  /** On the clock of `performance.now()`. */
  readonly deadline: number;
  readonly signal: AbortingSignal | undefined;
  accept(answer: A, zxid: bigint): void;
  /** Where NoNode is an answer like another. */
  absent?: ((zxid: bigint) => void) | undefined;
  reject(error: ZooKeeperError): void;
  /** Called once, when the promise is settled either way. */
  released?: (() => void) | undefined;
}

/** One request on its way: waiting, sent, settled. A settled one that was sent still awaits its late answer. */
export class Call {
  readonly #parts: CallParts<unknown>;
  #operation: Operation<never>;
  #sent = false;
  #settled = false;
  #xid = 0;
  #sentAt = 0;

  constructor(parts: CallParts<unknown>) {
    this.#parts = parts;
    this.#operation = parts.operation;
  }

  get deadline(): number {
    return this.#parts.deadline;
  }
  get signal(): AbortingSignal | undefined {
    return this.#parts.signal;
  }
  get frame(): Buffer {
    return this.#parts.frame;
  }
  get settled(): boolean {
    return this.#settled;
  }
  get sent(): boolean {
    return this.#sent;
  }
  get xid(): number {
    return this.#xid;
  }
  /** On the clock of `performance.now()`. */
  get sentAt(): number {
    return this.#sentAt;
  }

  /** Whether it is to be sent to a server that lacks some operations; takes to the fallback if need be. */
  prepare(lacks: (operation: { readonly code: number }) => boolean): boolean {
    if (!this.#settled && lacks(this.#operation)) {
      const { fallback } = this.#parts;
      if (fallback === undefined) this.fail(ZkCode.Unimplemented, 'the server does not know the operation');
      else this.#operation = fallback;
    }
    return !this.#settled;
  }

  /** The bytes to send now; from here on the server may have them. */
  send(xid: number, now: number): Buffer {
    const { frame } = this.#parts;
    this.#xid = xid;
    this.#sentAt = now;
    this.#sent = true;
    frame.writeInt32BE(xid, XID_AT);
    frame.writeInt32BE(this.#operation.code, OPCODE_AT);
    return frame;
  }

  /** Settles by an answer; throws MarshallingError when it cannot be read. */
  answer(code: ZkCode, zxid: bigint, reader: JuteReader): void {
    if (this.#settled) return;
    const parts = this.#parts;
    if (code === 0) {
      const answer = this.#operation.answer.read(reader);
      this.#settle();
      parts.accept(answer, zxid);
    } else if (code === ZkCode.NoNode && parts.absent !== undefined) {
      this.#settle();
      parts.absent(zxid);
    } else {
      this.#settle();
      parts.reject(serverError(this.#operation.name, code, parts.path));
    }
  }

  /** Settles without an answer. `sent` of the error tells whether the request was sent. */
  fail(code: ZkCode, why: string, cause?: unknown): void {
    if (this.#settled) return;
    this.#settle();
    const { path, operation, reject } = this.#parts;
    const where = path === undefined ? '' : ` ${path}`;
    reject(new ZooKeeperError(code, `${operation.name}${where}: ${why}`, { path, sent: this.#sent, cause }));
  }

  #settle(): void {
    this.#settled = true;
    this.#parts.released?.();
  }
}
