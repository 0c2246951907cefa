import { type CellAddress, decodeProblem, readCellInfo, rewriteCellInfo } from '../topo/codec.js';
import type { StoredRecord } from '../topo/connection.js';
import { traceDifferences } from '../topo/diff.js';
import type { Pair } from '../topo/join.js';
import { classify, type Kind, type KindRow, notCopiedReason } from '../topo/kinds.js';
import type { Loss, Tolerance } from '../topo/told.js';
import { GLOBAL } from '../topo/topology.js';
import { type Carried, type Carrying, carry } from './carried.js';
import { type Class, worstOf } from './classes.js';
import { classifyField, classifyWhole } from './classify.js';
import type { Narrowing } from './narrowing.js';
import { keyspaceOf } from './places.js';
import type { Difference, LostValue, NotCompared, Note } from './report.js';

/**
 * `own`: it names the place where the destination's part was read. `kept`: the source's own, in a store that keeps the addresses
 * of the topology it was filled from. `elsewhere`: the caller gave another address to read at. `wrong`: it leads
 * somewhere else.
 */
export type AddressJudgement = 'own' | 'kept' | 'elsewhere' | 'wrong';

/** What comparing one scope depends on, apart from the records. */
export interface CompareContext extends Pick<Narrowing, 'kinds' | 'keyspaces'>, Tolerance {
  readonly scope: string;
  /** What the address in the destination's CellInfo of a cell means. */
  readonly judgeAddress: (cell: string, found: CellAddress, source: CellAddress) => AddressJudgement;
  /** Undefined: both sides keep records in the same form. */
  readonly forms?: ComparedForms | undefined;
}

/** How records of one side become records of the other, where one of them keeps them in another form. */
export interface ComparedForms {
  readonly carrying: Carrying;
  /** Whose records are carried. */
  readonly side: NotCompared['side'];
}

/** What two stores have at one path. */
export interface Comparison {
  /** Sides that were left out. */
  readonly notCompared: readonly NotCompared[];
  /** The rest: equal, a note, or a difference; undefined: both sides were left out. */
  readonly outcome: Equal | Note | Difference | undefined;
  /** Values that the other side has no place for; absent: none. */
  readonly losses?: readonly LostValue[] | undefined;
}

/** Equal in all that counts. */
export interface Equal {
  readonly type: 'equal';
  readonly scope: string;
  readonly path: string;
  readonly kind: Kind;
}

/** Whether an outcome is one that the stores should not have. */
export function isDifference(outcome: Comparison['outcome']): outcome is Difference {
  return outcome?.type === 'missing' || outcome?.type === 'extra' || outcome?.type === 'different';
}

const CELL_INFO = 'topodata.CellInfo';
/** Fields that a copy replaces in CellInfo. */
const ADDRESS_FIELDS = new Set(['cell_info.server_address', 'cell_info.root']);

/** Compares by bytes, and by fields where the bytes differ. Pure. */
export function comparePair(pair: Pair, context: CompareContext): Comparison {
  return context.forms === undefined
    ? compareRead(pair, context)
    : compareForms(pair, context.forms, context);
}

/** {@link comparePair} of records that are in the same form. */
function compareRead(pair: Pair, context: CompareContext): Comparison {
  const equal = plainlyEqual(pair, context);
  if (equal !== undefined) return { notCompared: NOTHING, outcome: equal };
  const [a, b] = inKeyspaces(
    sideOf(pair.a, 'source', context),
    sideOf(pair.b, 'destination', context),
    context,
  );
  const notCompared = [a, b].flatMap((side) => (side !== undefined && 'reason' in side ? [side] : []));
  const [one, other] = [a, b].map((side) => (side !== undefined && 'record' in side ? side : undefined));
  const outcome = outcomeOf(one, other, context);
  if (!isDifference(outcome)) return { notCompared, outcome };
  const versions = { source: pair.a?.version.token, destination: pair.b?.version.token };
  return { notCompared, outcome: { ...outcome, versions } };
}

const NOTHING: readonly NotCompared[] = [];

/** {@link comparePair} where one side keeps records in another form: what the authority's becomes there is compared with what is there. */
function compareForms(pair: Pair, { carrying, side }: ComparedForms, context: CompareContext): Comparison {
  const { path, a, b } = pair;
  const [record, other] = side === 'source' ? [a, b] : [b, a];
  const unreadable = [record, other].find((each) => each?.told?.unreadable !== undefined);
  if (unreadable !== undefined) return compareUnreadable(pair, unreadable, context);
  if (record === undefined) return compareRead(pair, context);
  const row = classify(context.scope === GLOBAL ? 'global' : 'cell', path, record.ephemeral);
  const carried =
    row.copied === 'rewritten' ? carryCell(row, record, other, carrying) : carry(row, record, carrying);
  const made = { ...record, bytes: carried.bytes };
  const compared = compareRead(side === 'source' ? { path, a: made, b } : { path, a, b: made }, context);
  const { outcome } = compared;
  if (outcome === undefined) return compared;
  const losses = carried.losses.map((loss) => lostValue(loss, row.kind, context));
  const isAlone = outcome.type === 'missing' || outcome.type === 'extra';
  if (carried.refused === undefined || !isAlone) return { ...compared, losses };
  return { ...compared, losses, outcome: { ...outcome, detail: carried.refused.message } };
}

/** A value that is lost, and whether that was accepted. */
export function lostValue(
  loss: Loss,
  record: Kind | undefined,
  { scope, acceptedLosses }: Pick<CompareContext, 'scope' | 'acceptedLosses'>,
): LostValue {
  const isAccepted = acceptedLosses?.has(loss.kind) === true;
  return {
    scope,
    ...(record === undefined ? {} : { record }),
    ...loss,
    class: isAccepted ? 'expected' : 'loss',
  };
}

/** What a CellInfo becomes beside the other side's, whose address it is to have: that is judged for itself. */
function carryCell(
  row: KindRow,
  record: StoredRecord,
  other: StoredRecord | undefined,
  carrying: Carrying,
): Pick<Carried, 'bytes' | 'losses' | 'refused'> {
  const readable = (each: StoredRecord | undefined) =>
    each !== undefined && decodeProblem(CELL_INFO, each.bytes) === undefined;
  if (other === undefined || !readable(record) || !readable(other))
    return { bytes: record.bytes, losses: [] };
  const there = rewriteCellInfo(record.bytes, readCellInfo(other.bytes));
  const carried = carry(row, { ...record, bytes: there }, carrying);
  return { ...carried, bytes: rewriteCellInfo(carried.bytes, readCellInfo(record.bytes)) };
}

/** A path at which a side holds what is in no form that is known. */
function compareUnreadable(
  { path, a, b }: Pair,
  unreadable: StoredRecord,
  context: CompareContext,
): Comparison {
  const { scope, skipsUnreadable } = context;
  const problem = unreadable.told?.unreadable?.message ?? '';
  const [one, other] = inKeyspaces(sideOf(a, 'source', context), sideOf(b, 'destination', context), context);
  const compared = [one, other].flatMap((each) => (each !== undefined && 'record' in each ? [each] : []));
  const [first] = compared;
  if (first === undefined || skipsUnreadable?.(path) === true) {
    const left = (side: Side, name: NotCompared['side']): NotCompared[] => {
      if (side === undefined) return [];
      return 'reason' in side
        ? [side]
        : [{ scope, path, kind: side.row.kind, side: name, reason: UNREADABLE }];
    };
    return { notCompared: [...left(one, 'source'), ...left(other, 'destination')], outcome: undefined };
  }
  const type = compared.length === 2 ? 'different' : one === first ? 'missing' : 'extra';
  const rule = classifyWhole(first.row, type === 'different' ? 'undecodable' : type);
  return {
    notCompared: NOTHING,
    outcome: { ...placeOf(first, scope), type, ...rule, fields: [], detail: problem },
  };
}

const UNREADABLE = 'in no form that is known, and left behind as asked';

/** What nearly all pairs are: two records that are compared, with the same bytes, and nothing more to judge. */
function plainlyEqual({ a, b }: Pair, { scope, kinds, keyspaces }: CompareContext): Equal | undefined {
  if (keyspaces !== undefined) return undefined;
  if (a === undefined || b === undefined || a.ephemeral !== b.ephemeral) return undefined;
  const { kind, copied } = classify(scope === GLOBAL ? 'global' : 'cell', a.path, a.ephemeral);
  if (copied !== true || (kinds !== undefined && !kinds.has(kind))) return undefined;
  return Buffer.compare(a.bytes, b.bytes) === 0 ? { type: 'equal', scope, path: a.path, kind } : undefined;
}

interface Compared {
  readonly record: StoredRecord;
  readonly row: KindRow;
}

/** Whether a record of one side is compared at all, as the context has it. */
export function isCompared(record: StoredRecord, context: CompareContext): boolean {
  const [side] = inKeyspaces(sideOf(record, 'source', context), undefined, context);
  return side !== undefined && 'record' in side;
}

type Side = Compared | NotCompared | undefined;

/** Leaves out what belongs to none of the keyspaces that are asked for. A tablet that does on one side is compared with the other's. */
function inKeyspaces(a: Side, b: Side, { scope, keyspaces }: CompareContext): [Side, Side] {
  if (keyspaces === undefined) return [a, b];
  const isAsked = [a, b].some(
    (side) =>
      side !== undefined && 'record' in side && keyspaces.has(keyspaceOf(side.row, side.record) ?? ''),
  );
  if (isAsked) return [a, b];
  const left = (side: Side, name: NotCompared['side']): Side =>
    side === undefined || 'reason' in side
      ? side
      : { scope, path: side.record.path, kind: side.row.kind, side: name, reason: 'keyspace not asked for' };
  return [left(a, 'source'), left(b, 'destination')];
}

function sideOf(
  record: StoredRecord | undefined,
  side: NotCompared['side'],
  { scope, kinds }: CompareContext,
): Side {
  if (record === undefined) return undefined;
  const row = classify(scope === GLOBAL ? 'global' : 'cell', record.path, record.ephemeral);
  const reason =
    row.copied === false
      ? notCopiedReason(row.kind)
      : kinds !== undefined && !kinds.has(row.kind)
        ? 'kind not asked for'
        : undefined;
  return reason === undefined ? { record, row } : { scope, path: record.path, kind: row.kind, side, reason };
}

function outcomeOf(
  a: Compared | undefined,
  b: Compared | undefined,
  context: CompareContext,
): Comparison['outcome'] {
  if (a !== undefined && b !== undefined) return compareBoth(a, b.record, context);
  const one = a ?? b;
  if (one === undefined) return undefined;
  const type = b === undefined ? 'missing' : 'extra';
  return {
    ...placeOf(one, context.scope),
    type,
    ...classifyWhole(one.row, type),
    fields: [],
    detail: `${one.record.bytes.byteLength} bytes`,
  };
}

function compareBoth(
  { record, row }: Compared,
  other: StoredRecord,
  context: CompareContext,
): Equal | Note | Difference {
  const equal: Equal = { type: 'equal', scope: context.scope, path: record.path, kind: row.kind };
  const sameBytes = Buffer.compare(record.bytes, other.bytes) === 0;
  if (sameBytes && row.copied !== 'rewritten') return equal;
  const fields = sameBytes ? NONE : compareFields(row, record.bytes, other.bytes);
  const found = row.copied === 'rewritten' ? judgeCellInfo(record, other, row, fields, context) : fields;
  if (found.type === 'equal') return equal;
  const at = placeOf({ record, row }, context.scope);
  if (found.type !== 'different')
    return { ...at, ...found, type: found.type, class: NOTE_CLASSES[found.type] };
  const classes = found.fields.map((field) => field.class);
  return { ...at, ...found, type: 'different', class: worstOf([...classes, found.class ?? 'equal']) };
}

const NOTE_CLASSES = { encoding: 'benign', address: 'expected', elsewhere: 'expected' } as const;

/** What two records that both sides have come to. */
interface Outcome extends Pick<Difference, 'fields' | 'rule' | 'detail'> {
  readonly type: 'equal' | 'different' | Note['type'];
  readonly class?: Class;
}

const NONE: Outcome = { type: 'equal', fields: [] };

function compareFields(row: KindRow, a: Uint8Array, b: Uint8Array): Outcome {
  if (row.message === null) {
    const detail = `${a.byteLength} and ${b.byteLength} bytes`;
    return { type: 'different', fields: [], ...classifyWhole(row, 'contents'), detail };
  }
  const { message } = row;
  const problems = [a, b].map((bytes) => decodeProblem(message, bytes));
  if (problems.some((problem) => problem !== undefined)) {
    const told = problems.flatMap((problem, index) =>
      problem === undefined ? [] : [`${index === 0 ? 'source' : 'destination'}: ${problem}`],
    );
    return { type: 'different', fields: [], ...classifyWhole(row, 'undecodable'), detail: told.join('; ') };
  }
  const fields = traceDifferences(message, a, b).map((field) => classifyField(row, field));
  return { type: fields.length === 0 ? 'encoding' : 'different', fields };
}

function judgeCellInfo(
  a: StoredRecord,
  b: StoredRecord,
  row: KindRow,
  fields: Outcome,
  context: CompareContext,
): Outcome {
  if (fields.detail !== undefined || decodeProblem(CELL_INFO, a.bytes) !== undefined) return fields;
  const cell = a.path.split('/')[1] ?? '';
  const [source, destination] = [readCellInfo(a.bytes), readCellInfo(b.bytes)];
  const judgement = context.judgeAddress(cell, destination, source);
  if (judgement === 'kept') return fields;
  if (judgement === 'wrong') {
    const detail = `the destination names ${destination.serverAddress} ${destination.root}, which is not where its part of the cell is`;
    return { ...fields, type: 'different', ...classifyWhole(row, 'address'), detail };
  }
  const others = fields.fields.filter((field) => !ADDRESS_FIELDS.has(field.rule));
  if (others.length > 0) return { type: 'different', fields: others };
  if (judgement === 'elsewhere') return { type: 'elsewhere', fields: fields.fields };
  return fields.fields.length > 0 ? { type: 'address', fields: fields.fields } : fields;
}

function placeOf(
  { record, row }: Compared,
  scope: string,
): Pick<Difference, 'scope' | 'path' | 'kind' | 'keyspace'> {
  return { scope, path: record.path, kind: row.kind, keyspace: keyspaceOf(row, record) };
}
