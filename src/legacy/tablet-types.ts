import type { Json } from '../topo/codec-json.js';
import type { Numbering, Reading } from './reading.js';
import { misfit } from './second-scalars.js';

/** A type of tablet in an old form, in today's numbers. */
export interface OldType {
  /** topodata.TabletType. */
  readonly number: number;
  /** Whether the old type has a counterpart; if not, {@link number} is what stands in for it. */
  readonly kept: boolean;
  /** Whether a tablet of this type is left out: it held no data of its shard. */
  readonly leftOut: boolean;
}

const kept = (number: number): OldType => ({ number, kept: true, leftOut: false });
const SPARE_INSTEAD: OldType = { number: 4, kept: false, leftOut: false };
const LEFT_OUT: OldType = { number: 0, kept: false, leftOut: true };

/** The words of the first Go structs (go/vt/topo/tablet.go of 2012 to 2015), and the names of the enum, in lower case. */
const WORDS: ReadonlyMap<string, OldType> = new Map([
  ['', kept(0)],
  ['unknown', kept(0)],
  ['unknow', kept(0)],
  ['master', kept(1)],
  ['primary', kept(1)],
  ['replica', kept(2)],
  ['rdonly', kept(3)],
  ['batch', kept(3)],
  ['spare', kept(4)],
  ['experimental', kept(5)],
  ['backup', kept(6)],
  ['restore', kept(7)],
  // One type under three names: a tablet that vtworker reads from.
  ['checker', kept(8)],
  ['worker', kept(8)],
  ['drained', kept(8)],
  ['schema_apply', SPARE_INSTEAD],
  ['schema_upgrade', SPARE_INSTEAD],
  ['snapshot_source', SPARE_INSTEAD],
  ['lag', SPARE_INSTEAD],
  ['lag_orphan', SPARE_INSTEAD],
  ['idle', LEFT_OUT],
  ['scrap', LEFT_OUT],
]);

/** The type of a word, in any case; undefined for a word that was never one. */
export function typeOfWord(word: string): OldType | undefined {
  return WORDS.get(word.toLowerCase());
}

/** Whether a name in the serving graph is that of a type, which Vitess wrote in small letters. */
export function isTypeName(name: string): boolean {
  return name !== '' && WORDS.has(name);
}

/** By the numbers of 2.0.0-alpha1 to alpha4. */
const FIRST_NUMBERS: ReadonlyMap<number, OldType> = new Map([
  [0, kept(0)],
  [1, LEFT_OUT],
  [2, kept(1)],
  [3, kept(2)],
  [4, kept(3)],
  [5, kept(4)],
  [6, kept(5)],
  [7, SPARE_INSTEAD],
  [8, kept(6)],
  [9, kept(7)],
  [10, kept(8)],
  [11, LEFT_OUT],
]);

/** The type of a number in a store. Numbers that the numbering does not know stay as they are. */
function typeOfNumber(number: number, numbering: Numbering): OldType {
  return (numbering === 'first' ? FIRST_NUMBERS.get(number) : undefined) ?? kept(number);
}

/** The number that a store has for a type; undefined: it has none, or the number would mean another type there. */
export function numberOfType(type: number, numbering: Numbering): number | undefined {
  if (numbering === 'current') return type;
  for (const [old, { number, kept: has }] of FIRST_NUMBERS) if (has && number === type) return old;
  return FIRST_NUMBERS.has(type) ? undefined : type;
}

/** Today's number of a type in a value, which may be a word. A type without counterpart is a loss. Corrupt for what is no type. */
export function typeNumber(value: Json, at: string, reading: Reading): number {
  const found = typeIn(value, reading.numbering);
  if (found === undefined) throw misfit(at, 'it is no type of tablet');
  if (!found.kept) reading.losses.push({ kind: 'tablet-type', path: reading.path, field: at, value });
  return found.number;
}

/** The type of tablet in a value; undefined: it is none. */
export function typeIn(value: Json | undefined, numbering: Numbering): OldType | undefined {
  if (typeof value === 'string') return typeOfWord(value);
  return typeof value === 'number' && Number.isInteger(value) ? typeOfNumber(value, numbering) : undefined;
}
