import { crc32 } from 'node:zlib';

/** Every line ends with `,"crc":"` + 8 digits + `"}`: the CRC-32 of all bytes before that. */
export const SEAL_BYTES = 18;

/** The end of a line before which these bytes stand, without the line's own. */
export function sealOf(body: Buffer): string {
  return `,"crc":"${crc32(body).toString(16).padStart(8, '0')}"}`;
}

/**
 * Lines in the bytes that are written: a text for each, and their checksums of texts, would be turned into bytes twice, which takes longer than to
 * make the texts.
 */
export class Lines {
  #bytes: Buffer;
  #length = 0;

  /** @param room bytes that are taken beforehand */
  constructor(room: number) {
    this.#bytes = Buffer.allocUnsafe(room);
  }

  /** Bytes of the lines that were not taken yet. */
  get length(): number {
    return this.#length;
  }

  /** @param body a JSON object without its end */
  add(body: string): void {
    // No character of a JavaScript string takes more than three bytes of UTF-8.
    this.#reserve(3 * body.length + SEAL_BYTES + 1);
    const end = this.#length + this.#bytes.write(body, this.#length);
    const seal = sealOf(this.#bytes.subarray(this.#length, end));
    this.#length = end + this.#bytes.write(`${seal}\n`, end, 'latin1');
  }

  /** The lines, which hold until the next one is added. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
