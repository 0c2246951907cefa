import type { Change } from '../topo/changes.js';
import { decodeProblem } from '../topo/codec.js';
import type { Value } from '../topo/connection.js';
import { diffRecords, type FieldDifference } from '../topo/diff.js';

/** A derived record of one cell: what is there, and what a rebuild would put there. */
export interface DerivedRecord {
  readonly cell: string;
  readonly path: string;
  readonly kind: 'SrvKeyspace' | 'SrvVSchema';
  /** Undefined: there is none. A cell without tablets of a keyspace may well have none. */
  readonly before: Value | undefined;
  /** Undefined: a rebuild deletes it. */
  readonly after: Uint8Array | undefined;
  /** Fields in which the two differ. Empty where one is missing, and where they mean the same. */
  readonly differences: readonly FieldDifference[];
}

/** Whether a rebuild would change what the record means. */
export function isStale({ before, after, differences }: DerivedRecord): boolean {
  if (before === undefined || after === undefined) return before !== after;
  return differences.length > 0;
}

/** What a rebuild changes, as changes that can be shown, made and undone. */
export function derivedChanges(records: readonly DerivedRecord[]): Change[] {
  return records
    .filter(isStale)
    .map(({ cell, path, before, after }) => ({ scope: cell, path, before, after }));
}

/** Compares what is there with what should be. */
export function derivedRecord(
  place: Pick<DerivedRecord, 'cell' | 'path' | 'kind'>,
  before: Value | undefined,
  after: Uint8Array | undefined,
): DerivedRecord {
  const both = before !== undefined && after !== undefined;
  const differences = both ? differencesOf(MESSAGES[place.kind], before.bytes, after) : [];
  return { ...place, before, after, differences };
}

/** A record that does not decode differs as a whole. */
function differencesOf(message: string, before: Uint8Array, after: Uint8Array): FieldDifference[] {
  const problem = decodeProblem(message, before);
  return problem === undefined
    ? diffRecords(message, before, after)
    : [{ path: '(record)', a: problem, b: 'as rebuilt' }];
}

const MESSAGES = { SrvKeyspace: 'topodata.SrvKeyspace', SrvVSchema: 'vschema.SrvVSchema' } as const;
