import { readFields } from '../topo/codec.js';
import type { StoredRecord } from '../topo/connection.js';
import type { Pair } from '../topo/join.js';
import { worstOf } from './classes.js';
import type { ClassedField, Difference } from './report.js';
import type { Authority } from './settle.js';

/** What is known of a path since the baseline. */
export interface Moved {
  /** Whether the baseline has a record there; undefined: not known. */
  readonly was: boolean | undefined;
  /** Whether a side holds another record than the baseline. */
  readonly source: boolean;
  readonly destination: boolean;
  /** Whether a field of a side is another than in the baseline; of a path as in {@link ClassedField}. */
  readonly field: (side: Authority, path: string) => boolean;
}

/**
 * A difference as it is seen from a baseline: what processes change on their own has advanced, where only the authority moved. What the
 * authority had and has no more, and what moved in the other store, keeps its class.
 */
export function since(difference: Difference, pair: Pair, moved: Moved, authority: Authority): Difference {
  const other = authority === 'source' ? 'destination' : 'source';
  const told = { ...difference, since: { source: moved.source, destination: moved.destination } };
  if (difference.class === 'in-flight') return told;
  const [right, left] = authority === 'source' ? [pair.a, pair.b] : [pair.b, pair.a];
  if (right === undefined || left === undefined) {
    const made = right !== undefined && moved.was === false && difference.moves === true;
    return made ? { ...told, class: 'advanced' } : told;
  }
  if (difference.rule !== undefined || isBlankTablet(difference, right)) return told;
  const stopped = isBlankTablet(difference, left);
  const advanced = ({ path, moves }: ClassedField) =>
    moves === true && (stopped || (moved.field(authority, path) && !moved.field(other, path)));
  const fields = difference.fields.map(
    (field): ClassedField => (advanced(field) ? { ...field, class: 'advanced' } : field),
  );
  return { ...told, fields, class: worstOf(fields.map((field) => field.class)) };
}

/** Whether a record is that of a tablet that was stopped: one that left a store leaves it so. */
function isBlankTablet({ kind }: Difference, { bytes }: StoredRecord): boolean {
  return kind === 'Tablet' && (readFields('topodata.Tablet', bytes)['hostname'] ?? '') === '';
}
