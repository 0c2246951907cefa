import { type CellAddress, decodeProblem, readCellInfo } from '../topo/codec.js';
import type { StoredRecord } from '../topo/connection.js';
import { diffRecords, type FieldDifference } from '../topo/diff.js';
import type { Pair } from '../topo/join.js';
import { classify, type Kind, type KindRow, notCopiedReason } from '../topo/kinds.js';
import { GLOBAL } from '../topo/topology.js';
import type { Difference, NotCompared, Note, VerifiedCounts } from './report.js';

/**
 * `own`: it names the place where the destination's part was read. `kept`: the source's own, in a store that keeps the addresses
 * of the topology it was filled from. `elsewhere`: the caller gave another address to read at. `wrong`: it leads
 * somewhere else.
 */
export type AddressJudgement = 'own' | 'kept' | 'elsewhere' | 'wrong';

/** What comparing one scope depends on, apart from the records. */
export interface CompareContext {
  readonly scope: string;
  /** Kinds to compare; undefined: all. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  /** What the address in the destination's CellInfo of a cell means. */
  readonly judgeAddress: (cell: string, found: CellAddress, source: CellAddress) => AddressJudgement;
}

/** What comparing found so far. */
export interface Findings {
  readonly differences: Difference[];
  readonly notes: Note[];
  readonly notCompared: NotCompared[];
  readonly counts: Map<Kind, VerifiedCounts>;
}

const CELL_INFO = 'topodata.CellInfo';
/** Fields that a copy replaces in CellInfo. */
const ADDRESS_FIELDS = new Set(['server_address', 'root']);

/** Compares pairs by bytes, and by fields where the bytes differ. Pure but for `found`, which it grows. */
export function comparePairs(found: Findings, pairs: readonly Pair[], context: CompareContext): void {
  for (const pair of pairs) {
    const a = side(found, pair.a, 'source', context);
    const b = side(found, pair.b, 'destination', context);
    if (a !== undefined && b !== undefined) compareBoth(found, a, b, context);
    else if (a !== undefined) oneSided(found, a, 'missing', context);
    else if (b !== undefined) oneSided(found, b, 'extra', context);
  }
}

interface Compared {
  readonly record: StoredRecord;
  readonly row: KindRow;
}

function side(
  found: Findings,
  record: StoredRecord | undefined,
  name: NotCompared['side'],
  context: CompareContext,
): Compared | undefined {
  if (record === undefined) return undefined;
  const row = classify(context.scope === GLOBAL ? 'global' : 'cell', record.path, record.ephemeral);
  const reason =
    row.copied === false
      ? notCopiedReason(row.kind)
      : context.kinds !== undefined && !context.kinds.has(row.kind)
        ? 'kind not asked for'
        : undefined;
  if (reason === undefined) return { record, row };
  countsOf(found, row.kind).notCompared += 1;
  found.notCompared.push({ scope: context.scope, path: record.path, kind: row.kind, side: name, reason });
  return undefined;
}

function compareBoth(found: Findings, a: Compared, b: Compared, context: CompareContext): void {
  const { row } = a;
  const { path, bytes } = a.record;
  const counts = countsOf(found, row.kind);
  const addressMatters = row.copied === 'rewritten';
  if (!addressMatters && Buffer.compare(bytes, b.record.bytes) === 0) {
    counts.equal += 1;
    return;
  }
  const at = { scope: context.scope, path, kind: row.kind };
  const outcome = addressMatters
    ? compareCellInfo(a.record, b.record, row, context)
    : compareFields(row, bytes, b.record.bytes);
  if (outcome.type === 'equal') counts.equal += 1;
  else if (outcome.type === 'different') {
    counts.different += 1;
    found.differences.push({ ...at, type: 'different', fields: outcome.fields, detail: outcome.detail });
  } else {
    counts.noted += 1;
    found.notes.push({ ...at, type: outcome.type, fields: outcome.fields });
  }
}

interface Outcome {
  readonly type: 'equal' | 'different' | Note['type'];
  readonly fields: readonly FieldDifference[];
  readonly detail?: string | undefined;
}

function compareFields(row: KindRow, a: Uint8Array, b: Uint8Array): Outcome {
  if (Buffer.compare(a, b) === 0) return { type: 'equal', fields: [] };
  if (row.message === null)
    return { type: 'different', fields: [], detail: `${a.byteLength} and ${b.byteLength} bytes` };
  const broken = [decodeProblem(row.message, a), decodeProblem(row.message, b)];
  if (broken[0] !== undefined || broken[1] !== undefined) {
    const told = broken.map((problem, i) =>
      problem === undefined ? [] : [`${i === 0 ? 'source' : 'destination'}: ${problem}`],
    );
    return { type: 'different', fields: [], detail: told.flat().join('; ') };
  }
  const fields = diffRecords(row.message, a, b);
  return { type: fields.length === 0 ? 'encoding' : 'different', fields };
}

function compareCellInfo(a: StoredRecord, b: StoredRecord, row: KindRow, context: CompareContext): Outcome {
  const outcome = compareFields(row, a.bytes, b.bytes);
  if (outcome.detail !== undefined || decodeProblem(CELL_INFO, a.bytes) !== undefined) return outcome;
  const cell = a.path.split('/')[1] ?? '';
  const [source, destination] = [readCellInfo(a.bytes), readCellInfo(b.bytes)];
  const judgement = context.judgeAddress(cell, destination, source);
  if (judgement === 'kept') return outcome;
  if (judgement === 'wrong') {
    const detail = `the destination names ${destination.serverAddress} ${destination.root}, which is not where its part of the cell is`;
    return { ...outcome, type: 'different', detail };
  }
  const others = outcome.fields.filter((field) => !ADDRESS_FIELDS.has(field.path));
  if (others.length > 0) return { type: 'different', fields: others };
  if (judgement === 'elsewhere') return { type: 'elsewhere', fields: outcome.fields };
  return outcome.fields.length > 0 ? { type: 'address', fields: outcome.fields } : outcome;
}

function oneSided(
  found: Findings,
  { record, row }: Compared,
  type: 'missing' | 'extra',
  context: CompareContext,
): void {
  countsOf(found, row.kind)[type] += 1;
  const detail = `${record.bytes.byteLength} bytes`;
  found.differences.push({
    scope: context.scope,
    path: record.path,
    kind: row.kind,
    type,
    fields: [],
    detail,
  });
}

function countsOf(found: Findings, kind: Kind): VerifiedCounts {
  let counts = found.counts.get(kind);
  if (counts === undefined) {
    counts = { equal: 0, noted: 0, different: 0, missing: 0, extra: 0, notCompared: 0 };
    found.counts.set(kind, counts);
  }
  return counts;
}
