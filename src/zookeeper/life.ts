/**
 * Whether a session may be over for all that its owner can know. It began anew at a server when a request arrived there,
 * which was after that request had been sent: so it is alive for its time-out from the sending of the last request that
 * was answered. Times are those of `performance.now()`.
 */
export class Life {
  readonly #onOver: () => void;
  #timeoutMs = Number.POSITIVE_INFINITY;
  #provenAt = 0;
  #sentAt = 0;
  #over = false;
  #timer: NodeJS.Timeout | undefined;
  #verdict: NodeJS.Immediate | undefined;

  /** @param onOver called once, when the session is over */
  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** A server has granted the session this time-out, when asked at `sentAt`. */
  granted(sentAt: number, timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.proven(sentAt);
    this.#arm();
  }

  /** Something was sent just now. */
  sent(now: number): void {
    this.#sentAt = now;
  }

  /** What had been sent at `sentAt` was answered. */
  proven(sentAt: number): void {
    if (sentAt > this.#provenAt) this.#provenAt = sentAt;
  }

  /** Looks at the clock, and gives whether the session is over. */
  isOver(now: number): boolean {
    if (!this.#over && now - this.#provenAt >= this.#timeoutMs) {
      this.stop();
      this.#over = true;
      this.#onOver();
    }
    return this.#over;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#verdict);
    this.#timeoutMs = Number.POSITIVE_INFINITY;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const left = this.#provenAt + this.#timeoutMs - performance.now();
    this.#timer = setTimeout(() => this.#due(), Math.max(1, left));
  }

  #due(): void {
    const now = performance.now();
    if (now - this.#provenAt < this.#timeoutMs) this.#arm();
    // Nothing that waits in a socket can change it: told at once, before any socket is read.
    else if (now - this.#sentAt >= this.#timeoutMs) this.isOver(now);
    else {
      this.#verdict = setImmediate(() => {
        if (!this.isOver(performance.now())) this.#arm();
      });
    }
  }
}
