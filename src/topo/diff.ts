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
import { EMPTY_IS_ABSENT, LIST_RULES, type ListRule } from './diff-rules.js';
import { isOneValue, showKey, showValue } from './diff-show.js';
import { compareBytewise } from './paths.js';

/** One field in which two records differ. */
export interface FieldDifference {
  /**
   * Where: `hostname`, `tablet_controls[RDONLY].denied_tables`, `columns[2].type` in an ordered list, `#9999` for a
   * field that the schema does not know.
   */
  readonly path: string;
  /** The value as text for people; undefined: absent. */
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/**
 * Compares two records of a message such as `topodata.Shard` field by field, by what Vitess makes of them: sets as sets,
 * named elements by their names, see diff-rules.ts. Corrupt when one does not decode. Empty for records that differ in
 * bytes and mean the same.
 */
export function diffRecords(message: string, a: Uint8Array, b: Uint8Array): FieldDifference[] {
  const type = messageType(message);
  const found: FieldDifference[] = [];
  diffMessages(found, type, decodeMessage(type, a), decodeMessage(type, b), '');
  return found;
}

function diffMessages(
  found: FieldDifference[],
  type: Type,
  a: MessageFields,
  b: MessageFields,
  path: string,
): void {
  const prefix = path === '' ? '' : `${path}.`;
  for (const field of type.fieldsArray) {
    const at = `${prefix}${field.name}`;
    if (field.map) diffNamed(found, field, byKey(field, a), byKey(field, b), at);
    else if (field.repeated) diffLists(found, type, field, a, b, at);
    else diffValues(found, field, ...singular(type, field, a, b), at);
  }
  diffUnknown(found, a, b, prefix);
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
function diffValues(found: FieldDifference[], field: Field, a: unknown, b: unknown, path: string): void {
  const type = submessage(field);
  const both = type !== undefined && isFields(a) && isFields(b);
  if (both && !isOneValue(type)) {
    diffMessages(found, type, a, b, path);
    return;
  }
  if (both) diffUnknown(found, a, b, `${path}.`);
  if (textOf(field, a) === textOf(field, b)) return;
  const [shownA, shownB] = [a, b].map((value) => (value === undefined ? undefined : showValue(field, value)));
  found.push({ path, a: shownA, b: shownB });
}

function textOf(field: Field, value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(valueToJson(field, value));
}

type Sides = readonly [unknown[], unknown[]];

function diffLists(
  found: FieldDifference[],
  type: Type,
  field: Field,
  a: MessageFields,
  b: MessageFields,
  path: string,
): void {
  const rule = LIST_RULES[ruleName(type, field)];
  const sides: Sides = [elements(field, a), elements(field, b)];
  const inner = submessage(field);
  if (inner === undefined) diffScalars(found, field, rule, sides, path);
  else if (rule === undefined) diffNamed(found, field, byIndex(sides[0]), byIndex(sides[1]), path);
  else diffKeyed(found, field, inner, rule, sides, path);
}

/** Lists of scalars are compared and shown whole. */
function diffScalars(
  found: FieldDifference[],
  field: Field,
  rule: ListRule | undefined,
  sides: Sides,
  path: string,
): void {
  const [a, b] = sides.map((values) => {
    const shown = values.map((value) => showValue(field, value));
    return `[${(rule?.as === 'set' ? [...new Set(shown)].sort(compareBytewise) : shown).join(', ')}]`;
  });
  if (a !== b) found.push({ path, a, b });
}

/** Values that belong together by their names: entries of a map, elements of a list by their index. */
function diffNamed(
  found: FieldDifference[],
  field: Field,
  a: ReadonlyMap<string, unknown>,
  b: ReadonlyMap<string, unknown>,
  path: string,
): void {
  for (const name of new Set([...a.keys(), ...b.keys()]))
    diffValues(found, field, a.get(name), b.get(name), `${path}[${showKey([name])}]`);
}

function byKey(field: Field, message: MessageFields): Map<string, unknown> {
  return new Map(entries(field, message).sort(([x], [y]) => compareBytewise(x, y)));
}

function byIndex(values: unknown[]): Map<string, unknown> {
  return new Map(values.map((value, index) => [String(index), value]));
}

/** Elements that a rule names by their own fields. */
function diffKeyed(
  found: FieldDifference[],
  field: Field,
  inner: Type,
  rule: ListRule,
  sides: Sides,
  path: string,
): void {
  const a = groupByKey(inner, rule, sides[0]);
  const b = groupByKey(inner, rule, sides[1]);
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [as, bs] = [a.get(key) ?? [], b.get(key) ?? []];
    const at = `${path}[${key}]`;
    if (as.length > 1 || bs.length > 1) diffNamed(found, field, byIndex(as), byIndex(bs), at);
    else if (as.length === bs.length || !isInert(inner, rule, as[0] ?? bs[0]))
      diffValues(found, field, as[0], bs[0], at);
  }
}

function groupByKey(inner: Type, rule: ListRule, values: readonly unknown[]): Map<string, MessageFields[]> {
  const groups = new Map<string, MessageFields[]>();
  const seen = new Set<string>();
  for (const value of values.filter(isFields)) {
    const whole = Buffer.from(encodeMessage(inner, value)).toString('latin1');
    if (rule.as === 'set' && seen.has(whole)) continue;
    seen.add(whole);
    const key = showKey((rule.key ?? []).map((name) => keyPart(inner, name, value)));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function keyPart(inner: Type, name: string, element: MessageFields): string {
  const field = inner.fields[name];
  if (field === undefined) return '';
  const value = isSet(field, element) ? element[name] : field.typeDefault;
  const json = valueToJson(field, value);
  return typeof json === 'string' ? json : showValue(field, value);
}

function isInert(inner: Type, rule: ListRule, element: MessageFields | undefined): boolean {
  const flag = rule.inertWithout === undefined ? undefined : inner.fields[rule.inertWithout];
  return flag !== undefined && element !== undefined && !isSet(flag, element);
}

/** Unknown fields, by their numbers: the order between different ones means nothing. */
function diffUnknown(found: FieldDifference[], a: MessageFields, b: MessageFields, prefix: string): void {
  const [as, bs] = [unknownByNumber(a), unknownByNumber(b)];
  for (const number of new Set([...as.keys(), ...bs.keys()])) {
    const [x, y] = [as.get(number), bs.get(number)];
    if (x !== y) found.push({ path: `${prefix}#${number}`, a: x, b: y });
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

const WIRE_TYPES: Readonly<Record<number, string>> = {
  0: 'varint',
  1: 'fixed64',
  2: 'bytes',
  3: 'group',
  5: 'fixed32',
};

function ruleName(type: Type, field: Field): string {
  return `${messageName(type)}.${field.name}`;
}
