import type { CallOptions } from './call-options.js';
import type { CallContext } from './calls.js';

/** Share of the time to live after which it is renewed. */
const RENEWALS_PER_TTL = 3;
/** Milliseconds before a renewal that failed is tried again. */
const RETRY_MS = 250;

export interface KeepAliveSettings {
  readonly context: Pick<CallContext, 'clock'>;
  /** Milliseconds that the session or lease lives after a renewal. */
  readonly ttlMs: number;
  /** Clock time at which the request that made it was sent. */
  readonly since: number;
  /** Renews it: false when it is no more. Rejects when the store does not answer; then it is tried again. */
  renew(options: CallOptions): Promise<boolean>;
  /** Called once: the store says that it is over, or it was not renewed for so long that it may be. */
  onOver(why: string): void;
}

/**
 * Renews a session or lease until the answer is called. It counts as over when no renewal succeeded that was sent within
 * the last `ttlMs` milliseconds: also for a process that was stopped and wakes up later, and when the clock was set back.
 */
export function keepAlive(settings: KeepAliveSettings): () => void {
  const { ttlMs } = settings;
  const { clock } = settings.context;
  const renewMs = ttlMs / RENEWALS_PER_TTL;
  let stopped = false;
  /** Ends the renewal that is under way. */
  let renewing: AbortController | undefined;
  let validUntil = 0;
  let cancelEnd = () => {};
  let cancelRenewal = () => {};
  const stop = () => {
    stopped = true;
    renewing?.abort();
    cancelEnd();
    cancelRenewal();
  };
  const over = (why: string) => {
    if (stopped) return;
    stop();
    settings.onOver(why);
  };
  const expire = () => over(`it could not be kept alive for ${ttlMs} ms`);
  const renewIn = (ms: number) => {
    cancelRenewal();
    cancelRenewal = clock.schedule(Math.max(0, ms), () => void renew());
  };
  const renewed = (sentAt: number) => {
    validUntil = sentAt + ttlMs;
    const spent = Math.max(0, clock.now() - sentAt);
    cancelEnd();
    // Not asked for the time when it fires: of a clock that was set back meanwhile, it alone tells how long it was.
    cancelEnd = clock.schedule(Math.max(0, ttlMs - spent), expire);
    renewIn(renewMs - spent);
  };
  const renew = async () => {
    if (clock.now() >= validUntil) return expire();
    const sentAt = clock.now();
    renewing = new AbortController();
    let alive: boolean | undefined;
    try {
      alive = await settings.renew({ signal: renewing.signal, deadline: validUntil });
    } catch {
      alive = undefined;
    }
    if (stopped) return;
    if (alive === false) over('its session or lease ended');
    else if (clock.now() >= validUntil) expire();
    else if (alive === true) renewed(sentAt);
    else renewIn(Math.min(RETRY_MS, renewMs));
  };
  renewed(settings.since);
  return stop;
}
