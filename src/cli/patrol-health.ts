import type { Selection } from '../verify/narrowing.js';
import type { PatrolState } from '../verify/patrol-options.js';
import { errorCode, errorSentence } from './failure.js';

/** Why a patrol does not say that all is well. */
interface PatrolAilment {
  /** `verdict`: the sides differ, or that is not decided; `unknown`: a store cannot be read; `pass`: the last complete pass is too old. */
  readonly reason: 'verdict' | 'unknown' | 'pass';
  readonly message: string;
  readonly code?: string | undefined;
}

/** What /healthz says of a patrol. */
export interface PatrolHealth {
  readonly healthy: boolean;
  readonly why: readonly PatrolAilment[];
  readonly verdict: PatrolState['verdict'] | 'starting';
  /** When it came to that verdict, as ISO time. */
  readonly since: string;
  /** Age of the complete pass that is oldest, of all parts, in seconds; absent: a part had none. */
  readonly lastPassAgeSeconds?: number;
  readonly differences: number;
  /** What it is narrowed to; absent: it is of everything. */
  readonly selection?: Selection | undefined;
  /** Writes seen in the store that is not the authority. */
  readonly writes: number;
}

/** Judges a patrol. `state` undefined: it has not begun. `now` in milliseconds since the epoch. */
export function patrolHealth(
  state: PatrolState | undefined,
  fullEveryMs: number,
  { startedAt, now }: { readonly startedAt: number; readonly now: number },
): PatrolHealth {
  const { verdict, since = startedAt, parts = [], writes = 0, failure } = state ?? {};
  const differences = parts.reduce((sum, part) => sum + differencesOf(part), 0);
  const oldest = oldestPass(parts);
  const why: PatrolAilment[] = failuresOf(parts, failure).map(({ scope, error }) => ({
    reason: 'unknown',
    code: errorCode(error),
    message: `${scope}: ${errorSentence(error)}`,
  }));
  if (verdict === undefined) why.push({ reason: 'verdict', message: 'not everything was read yet' });
  else if (verdict === 'different' || verdict === 'inconclusive')
    why.push({ reason: 'verdict', message: `${verdict}: ${differences} differ` });
  else if (verdict === 'unknown' && why.length === 0)
    why.push({
      reason: 'verdict',
      message: 'the stores answer again, and not everything is decided that moved meanwhile',
    });
  if (oldest !== undefined && now - oldest > 2 * fullEveryMs)
    why.push({
      reason: 'pass',
      message: `a part was last read as a whole ${Math.round((now - oldest) / 1000)} s ago, that is due every ${fullEveryMs / 1000} s`,
    });
  return {
    healthy: why.length === 0,
    why,
    verdict: verdict ?? 'starting',
    since: new Date(since).toISOString(),
    ...(oldest === undefined ? {} : { lastPassAgeSeconds: (now - oldest) / 1000 }),
    differences,
    ...(state?.selection === undefined ? {} : { selection: state.selection }),
    writes,
  };
}

/** What cannot be read now, by part. */
export function failuresOf(
  parts: PatrolState['parts'],
  failure: unknown,
): { readonly scope: string; readonly error: unknown }[] {
  const own = parts.flatMap(({ scope, failure: error }) => (error === undefined ? [] : [{ scope, error }]));
  return failure === undefined ? own : [...own, { scope: 'cells', error: failure }];
}

/** Differences of a part, whatever their class. */
export function differencesOf({ classes }: PatrolState['parts'][number]): number {
  return [...classes.values()].reduce((sum, number) => sum + number, 0);
}

function oldestPass(parts: PatrolState['parts']): number | undefined {
  const passed = parts.map((part) => part.passed);
  return passed.length === 0 || passed.includes(undefined)
    ? undefined
    : Math.min(...passed.filter((time) => time !== undefined));
}
