import type { HttpFailureDetails } from '../../http/failure.js';
import type { Clock } from '../../topo/clock.js';
import { UNKNOWN_TOKEN } from './error.js';

/** Milliseconds for which a token that was taken before is not given up. */
const UNKNOWN_MS = 5_000;

/**
 * What is known of a token, of all servers together: one that has just become the leader may not have read all of its log yet, and does
 * not know tokens that it knows a moment later.
 */
export class Patience {
  readonly #clock: Clock;
  /** Clock time until which it counts as passing that the token is not known; undefined: it was not taken yet, `Infinity`: it was. */
  #until: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called when a server has taken the token. */
  taken(): void {
    this.#until = Number.POSITIVE_INFINITY;
  }

  /** Whether a refusal may be none a moment later. */
  bears({ status, text }: Pick<HttpFailureDetails, 'status' | 'text'>): boolean {
    if (status !== 403 || !UNKNOWN_TOKEN.test(text) || this.#until === undefined) return false;
    const now = this.#clock.now();
    if (this.#until === Number.POSITIVE_INFINITY) this.#until = now + UNKNOWN_MS;
    return now < this.#until;
  }
}
