import type { Finding as TopologyFinding } from '../topo/finding.js';
import { FINDINGS, type FindingId, type Severity } from './table.js';

/** Something that was found in a running cluster. */
export interface Finding extends TopologyFinding<Severity, FindingId> {
  /** The process: an alias, or `host:port`. */
  readonly process: string | undefined;
}

/** Where something was found. */
export interface Where {
  readonly scope?: string | undefined;
  readonly path?: string | undefined;
  readonly process?: string | undefined;
}

/** A finding by its row of the table. */
export function found(id: FindingId, { scope, path, process }: Where, what: string): Finding {
  return { ...FINDINGS[id], id, scope, path, process, what };
}

/** What was found by two readings, as the second one tells it, the worst first: what only one saw was on its way. */
export function standing(first: readonly Finding[], second: readonly Finding[]): Finding[] {
  const seen = new Set(first.map(keyOf));
  return worstFirst(second.filter((finding) => seen.has(keyOf(finding))));
}

/** Whether two readings failed to see the same: what only one of them found the other has refuted then. */
export function sawAlike(first: readonly Finding[], second: readonly Finding[]): boolean {
  const [one, other] = [first, second].map((all) => new Set(all.filter(hides).map(keyOf)));
  return one?.size === other?.size && [...(one ?? [])].every((key) => other?.has(key) === true);
}

/** {@link standing}, and what either of two readings could not see. */
export function withUnseen(first: readonly Finding[], second: readonly Finding[]): Finding[] {
  const all = [...standing(first, second), ...second.filter(hides), ...first.filter(hides)];
  return worstFirst([...new Map(all.toReversed().map((finding) => [keyOf(finding), finding])).values()]);
}

/** Whether a finding stands for something that was not looked at. */
function hides({ id, severity }: Finding): boolean {
  return severity === 'unknown' || HIDING.has(id);
}

const HIDING: ReadonlySet<FindingId> = new Set(['cell-unreachable', 'undecodable', 'wrong-process']);

/** Findings, the worst first, else as they were found. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}

const RANK: Readonly<Record<Severity, number>> = { stop: 0, unknown: 1, warn: 2 };

function keyOf({ id, scope, path, process }: Finding): string {
  return JSON.stringify([id, scope, path, process]);
}
