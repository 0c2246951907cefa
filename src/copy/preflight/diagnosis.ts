import type { Side } from './reading.js';
import { DIAGNOSES, type DiagnosisId, type Severity } from './table.js';

/** Something that was found out before a migration. */
export interface Diagnosis {
  readonly severity: Severity;
  readonly id: DiagnosisId;
  /** Undefined: it is about both, or about what is between them. */
  readonly side: Side | undefined;
  /** `global`, a cell's name, or several; undefined: all. */
  readonly scope: string | undefined;
  readonly path: string | undefined;
  /** What was found, in one sentence. */
  readonly what: string;
  readonly why: string;
  /** What to do about it. */
  readonly todo: string;
}

/** Where something was found. */
export interface Place {
  readonly side?: Side | undefined;
  readonly scope?: string | undefined;
  readonly path?: string | undefined;
}

/** A diagnosis by its row of the table, which `more` may correct for this one. */
export function diagnose(
  id: DiagnosisId,
  { side, scope, path }: Place,
  what: string,
  more: Partial<Pick<Diagnosis, 'severity' | 'todo'>> = {},
): Diagnosis {
  return { ...DIAGNOSES[id], id, side, scope, path, what, ...more };
}

/** Names as many as a line can hold. */
export function listed(items: readonly string[]): string {
  const more = items.length > SHOWN ? `, and ${items.length - SHOWN} more` : '';
  return `${items.slice(0, SHOWN).join(', ')}${more}`;
}

const SHOWN = 10;
