import { atLeast, type Class } from './classes.js';
import type { VerifyReport } from './report.js';

/**
 * What a comparison comes to. `equal`: nothing differs. `accepted`: what differs or is lost is of classes that were not to count, or ignored.
 * `different`: something differs that counts. `inconclusive`: nothing of that, but something was changing all the time.
 */
export type Decision = 'equal' | 'accepted' | 'different' | 'inconclusive';

/** From this class on a difference counts, where nothing else is said. */
export const FAIL_ON: Class = 'stale';

/** What a decision depends on. */
interface Judged extends Pick<VerifyReport, 'worst' | 'equal'> {
  readonly differences: readonly { readonly class: Class }[];
  readonly notes: readonly { readonly class: Class }[];
  readonly losses: readonly { readonly class: Class }[];
}

/** Whether what is of a class makes a comparison `different`. What is in flight decides nothing unless that is asked for. */
export function counts(found: Class, failOn: Class): boolean {
  return atLeast(found, failOn) && (found !== 'in-flight' || failOn === 'in-flight');
}

/** Decides; `failOn`: the class from which on a difference counts. */
export function decide(report: Judged, failOn: Class = FAIL_ON): Decision {
  if (report.worst !== 'equal' && atLeast(report.worst, failOn)) {
    const all = [...report.differences, ...report.notes, ...report.losses];
    if (all.some((each) => counts(each.class, failOn))) return 'different';
  }
  if (report.differences.some((each) => each.class === 'in-flight')) return 'inconclusive';
  return report.equal && report.losses.length === 0 ? 'equal' : 'accepted';
}
