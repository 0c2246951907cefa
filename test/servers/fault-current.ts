import type { Socket } from 'node:net';
import type { Random } from '../../src/topo/clock.js';

/** From client to server, or back. */
export type Direction = 'requests' | 'answers';

/** How fast what goes in one direction arrives. */
export interface Shape {
  /** Milliseconds from sending to arrival. */
  readonly latencyMs?: number;
  /** Up to so many milliseconds more, by chance. */
  readonly jitterMs?: number;
  /** How much of each connection arrives in a second. */
  readonly bytesPerSecond?: number;
  /** Nothing arrives. */
  readonly muted?: boolean;
}

/** What is sent arrives at once. */
export const OPEN: Shape = {};

/** Beyond this the sender is held up, as by the window of TCP. */
const WINDOW_BYTES = 1 << 20;

/** Something on its way: bytes, or the news that the sender has ended (FIN) or is gone (RST). */
interface Parcel {
  readonly what: Buffer | 'end' | 'reset';
  /** When it arrives, on the monotonic clock. */
  readonly due: number;
}

/** Carries what one socket sends to another, in order, in the time that the shape takes. */
export class Current {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #shape: () => Shape;
  readonly #random: Random;
  readonly #allowed: (bytes: number) => number | undefined;
  readonly #onItsWay: Parcel[] = [];
  #bytes = 0;
  #lastDue = 0;
  #timer: NodeJS.Timeout | undefined;
  #broken = false;

  /** `allowed` is asked before bytes arrive how many of them do, if not all; nothing arrives after them. */
  constructor(
    source: Socket,
    target: Socket,
    shape: () => Shape,
    random: Random,
    allowed: (bytes: number) => number | undefined,
  ) {
    this.#source = source;
    this.#target = target;
    this.#shape = shape;
    this.#random = random;
    this.#allowed = allowed;
    source.on('data', (chunk) => this.#send(chunk));
    source.on('end', () => this.#send('end'));
    source.on('error', () => this.#send('reset'));
    target.on('drain', () => this.#relieve());
    target.on('close', () => this.#stop());
  }

  /** Tells that the shape has changed. */
  reshape(): void {
    this.#deliver();
  }

  #send(what: Parcel['what']): void {
    if (this.#target.destroyed) return;
    const { latencyMs = 0, jitterMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#shape();
    const size = typeof what === 'string' ? 0 : what.length;
    const now = performance.now();
    const travel = latencyMs + jitterMs * this.#random();
    this.#lastDue = Math.max(now + travel, this.#lastDue) + (1_000 * size) / bytesPerSecond;
    this.#onItsWay.push({ what, due: this.#lastDue });
    this.#bytes += size;
    if (this.#bytes > WINDOW_BYTES) this.#source.pause();
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    while (this.#shape().muted !== true && !this.#broken) {
      const [parcel] = this.#onItsWay;
      if (parcel === undefined) break;
      const wait = parcel.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#deliver(), wait);
        return;
      }
      this.#onItsWay.shift();
      this.#arrive(parcel.what);
    }
    this.#relieve();
  }

  #arrive(what: Parcel['what']): void {
    if (this.#target.destroyed) return;
    if (what === 'end') this.#target.end();
    else if (what === 'reset') this.#target.resetAndDestroy();
    else {
      this.#bytes -= what.length;
      const allowed = this.#allowed(what.length);
      this.#broken = allowed !== undefined;
      this.#target.write(what.subarray(0, allowed));
    }
  }

  #relieve(): void {
    if (this.#bytes <= WINDOW_BYTES && !this.#target.writableNeedDrain) this.#source.resume();
    else this.#source.pause();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#onItsWay.length = 0;
    this.#bytes = 0;
  }
}
