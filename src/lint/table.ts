import { CELL_ROWS } from './table/cells.js';
import { KEYSPACE_ROWS } from './table/keyspaces.js';
import { RECORD_ROWS } from './table/records.js';
import { SERVING_ROWS } from './table/serving.js';
import { TABLET_ROWS } from './table/tablets.js';
import { VSCHEMA_ROWS } from './table/vschema.js';

/** Everything that can be found. docs/lint.md lists the same. */
export const FINDINGS = {
  ...RECORD_ROWS,
  ...CELL_ROWS,
  ...KEYSPACE_ROWS,
  ...TABLET_ROWS,
  ...SERVING_ROWS,
  ...VSCHEMA_ROWS,
} as const;

/** What kind of finding; stable. */
export type FindingId = keyof typeof FINDINGS;

/** Whether there are findings of this id. */
export function isFindingId(id: string): id is FindingId {
  return Object.hasOwn(FINDINGS, id);
}
