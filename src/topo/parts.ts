import { type JsonObject, toJson } from './codec-json.js';
import { elements, isFields, messageName, messageType, submessage } from './codec-schema.js';
import { decodeMessage, messagesIn } from './codec-wire.js';
import { LIST_RULES } from './diff-rules.js';
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

/** A record of a message and all messages within it. Corrupt when it does not decode. */
export function recordParts(message: string, bytes: Uint8Array): RecordPart[] {
  const type = messageType(message);
  return [...messagesIn(type, decodeMessage(type, bytes), '')].map((part) => ({
    message: messageName(part.type),
    path: part.prefix.replace(/\.$/, ''),
    json: toJson(part.type, part.message),
  }));
}

/**
 * Elements of which a list has several of one name where names are to be unique, such as `tablet_controls[primary]`: readers
 * of Vitess differ in which one counts. Corrupt when the record does not decode.
 */
export function duplicateElements(message: string, bytes: Uint8Array): string[] {
  const type = messageType(message);
  const found = new Set<string>();
  for (const part of messagesIn(type, decodeMessage(type, bytes), '')) {
    for (const field of part.type.fieldsArray) {
      const rule = LIST_RULES[ruleName(part.type, field)];
      const inner = submessage(field);
      if (rule?.key === undefined || inner === undefined) continue;
      const seen = new Set<string>();
      for (const element of elements(field, part.message).filter(isFields)) {
        const key = elementKey(inner, rule, element);
        if (seen.has(key)) found.add(`${part.prefix}${field.name}[${key}]`);
        seen.add(key);
      }
    }
  }
  return [...found];
}
