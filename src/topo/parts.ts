import type { Field, Type } from 'protobufjs';
import { type JsonObject, toJson } from './codec-json.js';
import { elements, isFields, messageName, messageType, submessage } from './codec-schema.js';
import { decodeMessage, type MessagePart, messagesIn } from './codec-wire.js';
import { LIST_RULES, type ListRule } from './diff-rules.js';
import { elementKey, ruleName } from './field-names.js';

/** A message of a record: the record itself, or one within it. */
export interface RecordPart {
  /** Full name, such as `topodata.KeyRange`. */
  readonly message: string;
  /** Where: empty for the record itself, `partitions[0].shard_references[1]` for one within it. */
  readonly path: string;
  /** As canonical JSON with proto field names. */
  readonly json: JsonObject;
}

/** What a record is made of. */
export interface RecordParts {
  /** The record itself first. */
  readonly parts: readonly RecordPart[];
  /**
   * Elements of which a list has several of one name where names are to be unique, such as `tablet_controls[primary]`: readers
   * of Vitess differ in which one counts.
   */
  readonly twice: readonly string[];
}

/** A record of a message and the messages within it; of the latter those that are `wanted` by name. Corrupt when it does not decode. */
export function recordParts(
  message: string,
  bytes: Uint8Array,
  wanted: (message: string) => boolean,
): RecordParts {
  const type = messageType(message);
  const parts: RecordPart[] = [];
  const twice = new Set<string>();
  for (const part of messagesIn(type, decodeMessage(type, bytes), '')) {
    const name = messageName(part.type);
    if (part.prefix === '' || wanted(name))
      parts.push({
        message: name,
        path: part.prefix.replace(/\.$/, ''),
        json: toJson(part.type, part.message),
      });
    for (const element of duplicates(part)) twice.add(element);
  }
  return { parts, twice: [...twice] };
}

function* duplicates({ type, message, prefix }: MessagePart): Generator<string> {
  for (const { field, inner, rule } of keyedLists(type)) {
    const seen = new Set<string>();
    for (const element of elements(field, message).filter(isFields)) {
      const key = elementKey(inner, rule, element);
      if (seen.has(key)) yield `${prefix}${field.name}[${key}]`;
      seen.add(key);
    }
  }
}

/** A list whose elements have names. */
interface KeyedList {
  readonly field: Field;
  readonly inner: Type;
  readonly rule: ListRule;
}

const keyedListsOf = new WeakMap<Type, readonly KeyedList[]>();

function keyedLists(type: Type): readonly KeyedList[] {
  let found = keyedListsOf.get(type);
  if (found === undefined) {
    found = type.fieldsArray.flatMap((field) => {
      const rule = LIST_RULES[ruleName(type, field)];
      const inner = submessage(field);
      return rule?.key === undefined || inner === undefined ? [] : [{ field, inner, rule }];
    });
    keyedListsOf.set(type, found);
  }
  return found;
}
