import type { Change } from '../topo/changes.js';
import { decodeProblem } from '../topo/codec.js';
import type { Value } from '../topo/connection.js';
import { diffRecords, type FieldDifference } from '../topo/diff.js';

/** A derived record of one cell: what is there, and what a rebuild would put there. */
export interface DerivedRecord {
  readonly cell: string;
  readonly path: string;
  /** SrvShard and EndPoints are no records: a store of a retired format keeps them in its serving graph. */
  readonly kind: 'SrvKeyspace' | 'SrvVSchema' | 'SrvShard' | 'EndPoints';
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

/** Whether it is a record of a topology, and not only of a serving graph of a retired format. */
export function isRecord({ kind }: DerivedRecord): boolean {
  return kind === 'SrvKeyspace' || kind === 'SrvVSchema';
}

/** What a rebuild changes, as changes that can be shown, made and undone. */
export function derivedChanges(records: readonly DerivedRecord[]): Change[] {
  return records
    .filter(isStale)
    .map(({ cell, path, before, after }) => ({ scope: cell, path, before, after }));
}

/** Compares what is there with what should be. `inOrder`: brings it into the order in which it is made, where that means nothing. */
export function derivedRecord(
  place: Pick<DerivedRecord, 'cell' | 'path' | 'kind'>,
  before: Value | undefined,
  after: Uint8Array | undefined,
  inOrder: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): DerivedRecord {
  const differences =
    before === undefined || after === undefined
      ? []
      : differencesOf(MESSAGES[place.kind], before, after, inOrder);
  return { ...place, before, after, differences };
}

/** A record that does not decode differs as a whole. */
function differencesOf(
  message: string,
  { bytes, told }: Value,
  after: Uint8Array,
  inOrder: (bytes: Uint8Array) => Uint8Array,
): FieldDifference[] {
  const problem = told?.unreadable?.message ?? decodeProblem(message, bytes);
  return problem === undefined
    ? diffRecords(message, inOrder(bytes), after)
    : [{ path: '(record)', a: problem, b: 'as rebuilt' }];
}

const MESSAGES = {
  SrvKeyspace: 'topodata.SrvKeyspace',
  SrvVSchema: 'vschema.SrvVSchema',
  SrvShard: 'topodata.SrvShard',
  EndPoints: 'topodata.EndPoints',
} as const;
