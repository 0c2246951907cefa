import protobuf, { type Field, type Type } from 'protobufjs';
import { valueToJson } from './codec-json.js';
import { isSet, type MessageFields, messageName } from './codec-schema.js';
import { LIST_RULES, type ListRule } from './diff-rules.js';
import { showKey, showValue } from './diff-show.js';

/** How people name the parts of a record: `tablet_controls[rdonly].denied_tables`, by the rules of diff-rules.ts. */

/** `message.field`, by which the tables of rules are kept. */
export function ruleName(type: Type, field: Field): string {
  return `${messageName(type)}.${field.name}`;
}

/** The rule of a repeated field; undefined: an ordered list. */
export function listRule(type: Type, field: Field): ListRule | undefined {
  return LIST_RULES[ruleName(type, field)];
}

/** What a rule calls an element of its list. */
export function elementKey(inner: Type, rule: ListRule, element: MessageFields): string {
  return showKey((rule.key ?? []).map((name) => keyPart(inner, name, element)));
}

function keyPart(inner: Type, name: string, element: MessageFields): string {
  const field = inner.fields[name];
  if (field === undefined) return '';
  const value = isSet(field, element) ? element[name] : field.typeDefault;
  const json = valueToJson(field, value);
  if (typeof json !== 'string') return showValue(field, value);
  // Vitess shows types of tablets to people in lower case.
  return field.resolvedType instanceof protobuf.Enum ? json.toLowerCase() : json;
}

/** What protobuf's wire types are called where the value of an unknown field is shown. */
export const WIRE_TYPES: Readonly<Record<number, string>> = {
  0: 'varint',
  1: 'fixed64',
  2: 'bytes',
  3: 'group',
  5: 'fixed32',
};
