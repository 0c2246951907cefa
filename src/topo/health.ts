/**
 * How a store is, as far as it tells: what a store's own tools would show, in words that fit every product. Undefined: not
 * known, because the product has no such thing, or does not tell it to us ({@link StoreHealth.unknown}).
 */
export interface StoreHealth {
  /** The servers of the address, observers too, in its order. */
  readonly servers: readonly ServerHealth[];
  /** Members that vote, and how many of them are known to be up. */
  readonly voters?: { readonly total: number; readonly up: number | undefined } | undefined;
  /** Whether the members have a leader. */
  readonly hasLeader?: boolean | undefined;
  /** Alarms that are raised, by the store's own names. */
  readonly alarms?: readonly string[] | undefined;
  /** Through what records are read, where there is more than one way: a phrase. */
  readonly readThrough?: string | undefined;
  /** What could not be found out, and why: a phrase each. */
  readonly unknown: readonly string[];
}

/** One server of an address, asked by itself. */
export interface ServerHealth {
  /** `host:port`. */
  readonly server: string;
  /** It answers, and serves. */
  readonly up: boolean;
  /** What is the matter with one that is not up. */
  readonly problem?: string | undefined;
  /** Milliseconds that its answer took. */
  readonly ms?: number | undefined;
  readonly version?: string | undefined;
  readonly role?: 'leader' | 'follower' | 'observer' | 'learner' | 'single' | 'client' | undefined;
  /** Bytes of its database. */
  readonly dataBytes?: number | undefined;
  /** Bytes that its database may have. */
  readonly quotaBytes?: number | undefined;
  readonly clock?: ClockReading | undefined;
}

/** A server's clock against this host's, in milliseconds: ahead by that much, give or take. */
export interface ClockReading {
  readonly aheadMs: number;
  readonly plusMinusMs: number;
}

/**
 * What a time that a server told says of its clock. All in milliseconds since the epoch.
 *
 * @param stepMs how exact the time is: it was cut to a multiple of this
 * @param before when the request was about to leave; `after`: when the answer was here
 */
export function readClock(time: number, stepMs: number, before: number, after: number): ClockReading {
  const earliest = time - after;
  const latest = time + stepMs - before;
  return { aheadMs: (earliest + latest) / 2, plusMinusMs: (latest - earliest) / 2 };
}
