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

/** Findings, the worst first, else as they were found. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
}

const RANK: Readonly<Record<Severity, number>> = { stop: 0, unknown: 1, warn: 2 };

function keyOf({ id, scope, path, process }: Finding): string {
  return JSON.stringify([id, scope, path, process]);
}
