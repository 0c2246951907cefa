import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Objection } from './objection.js';

/** Records that one message names. */
const SHOWN = 20;

/** Refuses what some records stand for, unless there are none: Guard, naming them. */
export function stop(what: string, records: readonly string[], hint: string): void {
  if (records.length === 0) return;
  throw new TopologyError(ErrorCode.Guard, `${what}: ${someOf(records)}`, { hint });
}

/** What guards refuse (Guard): the error is what the first of them says. */
export class Refused extends TopologyError {
  /** What each of them says, one at least. */
  readonly objections: readonly [Objection, ...Objection[]];

  constructor(objections: readonly [Objection, ...Objection[]], hint: string = objections[0].hint) {
    super(ErrorCode.Guard, objectionText(objections[0]), { hint });
    this.objections = objections;
  }

  override withHint(hint: string): Refused {
    return new Refused(this.objections, hint);
  }
}

/** Refuses what guards object to, unless the caller overrules all of it: Refused, with everything that stands in the way. */
export function stopFor(objections: readonly Objection[]): void {
  const [first, ...more] = objections.filter(({ overruled }) => !overruled);
  if (first !== undefined) throw new Refused([first, ...more]);
}

/** What a guard says, naming records. */
export function objectionText({ what, about }: Objection): string {
  return `${what}: ${someOf(about)}`;
}

/** Names as many as a message can hold. */
export function someOf(records: readonly string[]): string {
  const more = records.length > SHOWN ? `, and ${records.length - SHOWN} more` : '';
  return `${records.slice(0, SHOWN).join('; ')}${more}`;
}
