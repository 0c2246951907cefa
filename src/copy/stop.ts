import { ErrorCode, TopologyError } from '../topo/errors.js';

/** Records that one message names. */
const SHOWN = 20;

/** Refuses what some records stand for, unless there are none: Guard, naming them. */
export function stop(what: string, records: readonly string[], hint: string): void {
  if (records.length === 0) return;
  throw new TopologyError(ErrorCode.Guard, `${what}: ${someOf(records)}`, { hint });
}

/** Names as many as a message can hold. */
export function someOf(records: readonly string[]): string {
  const more = records.length > SHOWN ? `, and ${records.length - SHOWN} more` : '';
  return `${records.slice(0, SHOWN).join('; ')}${more}`;
}
