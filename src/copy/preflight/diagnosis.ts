import type { Finding } from '../../topo/finding.js';
import type { Side } from './reading.js';
import { DIAGNOSES, type DiagnosisId, type Severity } from './table.js';

/** Something that was found out before a migration. */
export interface Diagnosis extends Finding<Severity, DiagnosisId> {
  /** Undefined: it is about both, or about what is between them. */
  readonly side: Side | undefined;
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
