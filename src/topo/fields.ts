import type { Field, Type } from 'protobufjs';
import {
  elements,
  entries,
  isFields,
  isSet,
  type MessageFields,
  messageType,
  submessage,
} from './codec-schema.js';
import { decodeMessage, ownUnknownFields } from './codec-wire.js';
import { isOneValue, showKey, showValue } from './diff-show.js';
import { elementKey, listRule, WIRE_TYPES } from './field-names.js';
import { compareBytewise } from './paths.js';
import { quoted } from './text-format.js';

/** One value in a record. */
export interface RecordField {
  /** Where, as a difference names it: `hostname`, `tablet_controls[rdonly].denied_tables`, `#9999` for an unknown field. */
  readonly path: string;
  /** The value for people: text in quotes, an alias, a time or a key range as one value. */
  readonly shown: string;
  /** The value itself: {@link shown}, for text without the quotes. */
  readonly text: string;
}

/**
 * All values of a record of a message such as `topodata.Shard`, those in messages within it too, in the order of the
 * schema. A message in which nothing is set is the value `{}`. Corrupt when the record does not decode.
 */
export function listFields(message: string, bytes: Uint8Array): RecordField[] {
  const type = messageType(message);
  return fieldsIn(type, decodeMessage(type, bytes), '');
}

function fieldsIn(type: Type, message: MessageFields, prefix: string): RecordField[] {
  const known = type.fieldsArray.flatMap((field) =>
    placed(type, field, message, `${prefix}${field.name}`).flatMap(([path, value]) =>
      valuesIn(field, value, path),
    ),
  );
  const unknown = ownUnknownFields(message).map(({ number, wireType, bytes }): RecordField => {
    const shown = `${WIRE_TYPES[wireType] ?? wireType} ${quoted(bytes)}`;
    return { path: `${prefix}#${number}`, shown, text: shown };
  });
  return [...known, ...unknown];
}

/** The values of a field, each with its path. */
function placed(type: Type, field: Field, message: MessageFields, at: string): [string, unknown][] {
  if (!isSet(field, message)) return [];
  if (field.map) {
    const sorted = entries(field, message).sort(([a], [b]) => compareBytewise(a, b));
    return sorted.map(([key, value]) => [`${at}[${showKey([key])}]`, value]);
  }
  if (!field.repeated) return [[at, message[field.name]]];
  const inner = submessage(field);
  const rule = listRule(type, field);
  return elements(field, message).map((value, index) => {
    if (rule === undefined) return [`${at}[${index}]`, value];
    // Elements of a set have no place in it.
    return [inner === undefined || !isFields(value) ? at : `${at}[${elementKey(inner, rule, value)}]`, value];
  });
}

function valuesIn(field: Field, value: unknown, path: string): RecordField[] {
  const inner = submessage(field);
  if (inner !== undefined && isFields(value) && !isOneValue(inner)) {
    const found = fieldsIn(inner, value, `${path}.`);
    if (found.length > 0) return found;
  }
  const shown = showValue(field, value);
  return [{ path, shown, text: typeof value === 'string' ? value : shown }];
}
