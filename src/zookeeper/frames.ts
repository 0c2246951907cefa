import { malformed } from './jute.js';

/** Called with a frame's bytes, from `start` up to and without `end`. They may change after the call. */
export type FrameHandler = (bytes: Buffer, start: number, end: number) => void;

const LENGTH_BYTES = 4;
const NONE = Buffer.alloc(0);
/** A buffer for incomplete frames up to this size is used again. */
const REUSED_BYTES = 1 << 20;

/**
 * Cuts a stream of bytes into frames: a 32-bit length, then so many bytes. What it holds of an incomplete frame is
 * in proportion to what has arrived, never to what a length promises.
 */
export class FrameSplitter {
  readonly #limit: number;
  readonly #handler: FrameHandler;
  /** The beginning of an incomplete frame, and how many bytes of the buffer are in use. */
  #kept: Buffer = NONE;
  #keptBytes = 0;

  /** @param limit longest frame in bytes; a longer one, or a negative length, throws MarshallingError in `push` */
  constructor(limit: number, handler: FrameHandler) {
    this.#limit = limit;
    this.#handler = handler;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (this.#keptBytes > 0) {
      const wanted =
        this.#keptBytes < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + this.#lengthAt(this.#kept, 0);
      if (this.#keptBytes === wanted) {
        const whole = this.#kept;
        if (whole.length > REUSED_BYTES) this.#kept = NONE;
        this.#keptBytes = 0;
        this.#handler(whole, LENGTH_BYTES, wanted);
        break;
      }
      if (at === chunk.length) return;
      const end = Math.min(at + wanted - this.#keptBytes, chunk.length);
      this.#keep(chunk, at, end, wanted);
      at = end;
    }
    while (chunk.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + this.#lengthAt(chunk, at);
      if (end > chunk.length) break;
      this.#handler(chunk, at + LENGTH_BYTES, end);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at, chunk.length, 0);
  }

  #lengthAt(bytes: Buffer, at: number): number {
    const length = bytes.readInt32BE(at);
    if (length < 0 || length > this.#limit) throw malformed(`a frame of ${length} bytes`);
    return length;
  }

  #keep(chunk: Buffer, start: number, end: number, wanted: number): void {
    const needed = this.#keptBytes + end - start;
    if (needed > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(wanted, 2 * needed)));
      this.#kept.copy(larger, 0, 0, this.#keptBytes);
      this.#kept = larger;
    }
    chunk.copy(this.#kept, this.#keptBytes, start, end);
    this.#keptBytes = needed;
  }
}
