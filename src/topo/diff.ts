import type { Field, Type } from 'protobufjs';
import { valueToJson } from './codec-json.js';
import {
  elements,
  entries,
  hasPresence,
  isFields,
  isSet,
  type MessageFields,
  messageName,
  messageType,
  submessage,
} from './codec-schema.js';
import { decodeMessage, encodeMessage, ownUnknownFields } from './codec-wire.js';
import { EMPTY_IS_ABSENT, type ListRule } from './diff-rules.js';
import { isOneValue, showKey, showValue } from './diff-show.js';
import { elementKey, listRule, ruleName, WIRE_TYPES } from './field-names.js';
import { compareBytewise } from './paths.js';

/** One field in which two records differ. */
export interface FieldDifference {
  /**
   * Where: `hostname`, `tablet_controls[rdonly].denied_tables`, `columns[2].type` in an ordered list, `#9999` for a
   * field that the schema does not know.
   */
  readonly path: string;
  /** The value as text for people; undefined: absent. */
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** A difference, and which field of the schema it is in. */
export interface TracedDifference extends FieldDifference {
  /** Names of the fields on the way, without keys and places: `tablet_controls.denied_tables`. */
  readonly names: string;
  /** The field as the schema has it, `topodata.Shard.TabletControl.denied_tables`; an unknown one by its number. */
  readonly declared: string;
}

/**
 * Compares two records of a message such as `topodata.Shard` field by field, by what Vitess makes of them: sets as sets,
 * named elements by their names, see diff-rules.ts. Corrupt when one does not decode. Empty for records that differ in
 * bytes and mean the same.
 */
export function diffRecords(message: string, a: Uint8Array, b: Uint8Array): FieldDifference[] {
  return traceDifferences(message, a, b).map(({ path, a: was, b: is }) => ({ path, a: was, b: is }));
}

/** {@link diffRecords} that tells the fields. */
export function traceDifferences(message: string, a: Uint8Array, b: Uint8Array): TracedDifference[] {
  const type = messageType(message);
  const found: TracedDifference[] = [];
  diffMessages(found, type, decodeMessage(type, a), decodeMessage(type, b), undefined);
  return found;
}

/** Where a comparison is: in a field. */
type At = Pick<TracedDifference, 'path' | 'names' | 'declared'>;

/** A field, named `name`, of the message at a place; undefined: of the record. */
function within(at: At | undefined, type: Type, name: string): At {
  const prefix = (outer: string | undefined) => (outer === undefined ? '' : `${outer}.`);
  return {
    path: `${prefix(at?.path)}${name}`,
    names: `${prefix(at?.names)}${name}`,
    declared: `${messageName(type)}.${name}`,
  };
}

/** An element of the field at a place. */
function element(at: At, name: string): At {
  return { ...at, path: `${at.path}[${name}]` };
}

function diffMessages(
  found: TracedDifference[],
  type: Type,
  a: MessageFields,
  b: MessageFields,
  outer: At | undefined,
): void {
  for (const field of type.fieldsArray) {
    const at = within(outer, type, field.name);
    if (field.map) diffNamed(found, field, byKey(field, a), byKey(field, b), at);
    else if (field.repeated) diffLists(found, type, field, a, b, at);
    else diffValues(found, field, ...singular(type, field, a, b), at);
  }
  diffUnknown(found, type, a, b, outer);
}

/** Both sides of a singular field; undefined: absent. */
function singular(type: Type, field: Field, a: MessageFields, b: MessageFields): [unknown, unknown] {
  const sides = [a, b].map((message) => {
    if (isSet(field, message)) return message[field.name];
    if (EMPTY_IS_ABSENT.has(ruleName(type, field))) return {};
    return hasPresence(field) ? undefined : field.typeDefault;
  });
  return [sides[0], sides[1]];
}

/** One value on each side; undefined: absent. */
function diffValues(found: TracedDifference[], field: Field, a: unknown, b: unknown, at: At): void {
  const type = submessage(field);
  const both = type !== undefined && isFields(a) && isFields(b);
  if (both && !isOneValue(type)) {
    diffMessages(found, type, a, b, at);
    return;
  }
  if (both) diffUnknown(found, type, a, b, at);
  if (textOf(field, a) === textOf(field, b)) return;
  const [shownA, shownB] = [a, b].map((value) => (value === undefined ? undefined : showValue(field, value)));
  found.push({ ...at, a: shownA, b: shownB });
}

function textOf(field: Field, value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(valueToJson(field, value));
}

type Sides = readonly [unknown[], unknown[]];

function diffLists(
  found: TracedDifference[],
  type: Type,
  field: Field,
  a: MessageFields,
  b: MessageFields,
  at: At,
): void {
  const rule = listRule(type, field);
  const sides: Sides = [elements(field, a), elements(field, b)];
  const inner = submessage(field);
  if (inner === undefined) diffScalars(found, field, rule, sides, at);
  else if (rule === undefined) diffNamed(found, field, byIndex(sides[0]), byIndex(sides[1]), at);
  else diffKeyed(found, field, inner, rule, sides, at);
}

/** Lists of scalars are compared and shown whole. */
function diffScalars(
  found: TracedDifference[],
  field: Field,
  rule: ListRule | undefined,
  sides: Sides,
  at: At,
): void {
  const [a, b] = sides.map((values) => {
    const shown = values.map((value) => showValue(field, value));
    return `[${(rule?.as === 'set' ? [...new Set(shown)].sort(compareBytewise) : shown).join(', ')}]`;
  });
  if (a !== b) found.push({ ...at, a, b });
}

/** Values that belong together by their names: entries of a map, elements of a list by their index. */
function diffNamed(
  found: TracedDifference[],
  field: Field,
  a: ReadonlyMap<string, unknown>,
  b: ReadonlyMap<string, unknown>,
  at: At,
): void {
  for (const name of new Set([...a.keys(), ...b.keys()]))
    diffValues(found, field, a.get(name), b.get(name), element(at, showKey([name])));
}

function byKey(field: Field, message: MessageFields): Map<string, unknown> {
  return new Map(entries(field, message).sort(([x], [y]) => compareBytewise(x, y)));
}

function byIndex(values: unknown[]): Map<string, unknown> {
  return new Map(values.map((value, index) => [String(index), value]));
}

/** Elements that a rule names by their own fields. */
function diffKeyed(
  found: TracedDifference[],
  field: Field,
  inner: Type,
  rule: ListRule,
  sides: Sides,
  at: At,
): void {
  const a = groupByKey(inner, rule, sides[0]);
  const b = groupByKey(inner, rule, sides[1]);
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [as, bs] = [a.get(key) ?? [], b.get(key) ?? []];
    const here = element(at, key);
    if (as.length > 1 || bs.length > 1) diffNamed(found, field, byIndex(as), byIndex(bs), here);
    else if (as.length === bs.length || !isInert(inner, rule, as[0] ?? bs[0]))
      diffValues(found, field, as[0], bs[0], here);
  }
}

function groupByKey(inner: Type, rule: ListRule, values: readonly unknown[]): Map<string, MessageFields[]> {
  const groups = new Map<string, MessageFields[]>();
  const seen = new Set<string>();
  for (const value of values.filter(isFields)) {
    const whole = Buffer.from(encodeMessage(inner, value)).toString('latin1');
    if (rule.as === 'set' && seen.has(whole)) continue;
    seen.add(whole);
    const key = elementKey(inner, rule, value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function isInert(inner: Type, rule: ListRule, element: MessageFields | undefined): boolean {
  const flag = rule.inertWithout === undefined ? undefined : inner.fields[rule.inertWithout];
  return flag !== undefined && element !== undefined && !isSet(flag, element);
}

/** Unknown fields, by their numbers: the order between different ones means nothing. */
function diffUnknown(
  found: TracedDifference[],
  type: Type,
  a: MessageFields,
  b: MessageFields,
  at: At | undefined,
): void {
  const [as, bs] = [unknownByNumber(a), unknownByNumber(b)];
  for (const number of new Set([...as.keys(), ...bs.keys()])) {
    const [x, y] = [as.get(number), bs.get(number)];
    if (x !== y) found.push({ ...within(at, type, `#${number}`), a: x, b: y });
  }
}

function unknownByNumber(message: MessageFields): Map<number, string> {
  const shown = new Map<number, string>();
  for (const { number, wireType, bytes } of ownUnknownFields(message)) {
    const one = `${WIRE_TYPES[wireType] ?? wireType} ${Buffer.from(bytes).toString('base64')}`;
    const before = shown.get(number);
    shown.set(number, before === undefined ? one : `${before}, ${one}`);
  }
  return shown;
}
