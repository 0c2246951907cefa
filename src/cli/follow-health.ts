import type { FollowState } from '../copy/follow-options.js';
import { errorCode, type FailureJson, failureJson } from './failure.js';

/** What a follower is judged by. */
export interface HealthLimits {
  /** Milliseconds that the destination may be behind, and a complete pass may be late. */
  readonly maxLagMs: number;
  /** Milliseconds from one complete pass to the next. */
  readonly passEveryMs: number;
}

/** Why a follower is not well. */
export interface Ailment {
  /** `stopped`: it does nothing any more; `lag`: too far behind; `pass`: nothing was compared for too long. */
  readonly reason: 'stopped' | 'lag' | 'pass';
  readonly message: string;
  /** Code of what stopped it, or of what it tries again. */
  readonly code?: string | undefined;
  /** Of guards that stopped it, all of them. */
  readonly guards?: FailureJson['guards'];
}

/** What /healthz says. Times in seconds. */
export interface FollowHealth {
  readonly healthy: boolean;
  readonly why: readonly Ailment[];
  readonly phase: FollowState['phase'] | 'starting' | 'stopped';
  readonly lagSeconds: number;
  /** When the last complete pass ended, as ISO time; absent: there was none. */
  readonly lastPass?: string;
  readonly lastPassAgeSeconds?: number;
  readonly waiting: number;
  /** What is tried again now. */
  readonly failure?: FailureJson;
}

/** What stopped a follower. */
export interface Stopped {
  readonly error: unknown;
}

/** Judges a follower. `state` undefined: it has not begun. `startedAt` and `now` in milliseconds since the epoch. */
export function followHealth(
  state: FollowState | undefined,
  stopped: Stopped | undefined,
  limits: HealthLimits,
  { startedAt, now }: { readonly startedAt: number; readonly now: number },
): FollowHealth {
  const { phase = 'starting', lagMs = now - startedAt, passed, waiting = 0, failure } = state ?? {};
  const why: Ailment[] = [];
  if (stopped !== undefined) why.push({ reason: 'stopped', ...failureJson(stopped.error) });
  if (lagMs > limits.maxLagMs)
    why.push({
      reason: 'lag',
      message: `the destination may be ${seconds(lagMs)} s behind, ${seconds(limits.maxLagMs)} s are allowed`,
      ...(failure === undefined ? {} : { code: errorCode(failure) }),
    });
  if (passed !== undefined && now - passed > limits.passEveryMs + limits.maxLagMs)
    why.push({
      reason: 'pass',
      message: `the last complete pass ended ${seconds(now - passed)} s ago, one is due every ${seconds(limits.passEveryMs)} s`,
    });
  return {
    healthy: why.length === 0,
    why,
    phase: stopped === undefined ? phase : 'stopped',
    lagSeconds: lagMs / 1000,
    ...(passed === undefined
      ? {}
      : { lastPass: new Date(passed).toISOString(), lastPassAgeSeconds: (now - passed) / 1000 }),
    waiting,
    ...(failure === undefined ? {} : { failure: failureJson(failure) }),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
