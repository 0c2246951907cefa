import protobuf, { type Field, type Type } from 'protobufjs';
import type { Json, JsonObject } from '../../src/topo/codec-json.js';
import { submessage } from '../../src/topo/codec-schema.js';

/** A record in which every field of the schema is set, every list and map has two elements, and no value comes twice. */
export function fullRecord(type: Type): JsonObject {
  const counter = { next: 1, enums: 0 };
  return fullMessage(type, counter);
}

interface Counter {
  next: number;
  /** Of their own, so that neighbours in a list have different ones. */
  enums: number;
}

function fullMessage(type: Type, counter: Counter): JsonObject {
  return Object.fromEntries(
    type.fieldsArray.map((field): [string, Json] => {
      if (field.map)
        return [
          field.name,
          { [`k${counter.next++}`]: value(field, counter), [`k${counter.next++}`]: value(field, counter) },
        ];
      if (field.repeated) return [field.name, [value(field, counter), value(field, counter)]];
      return [field.name, value(field, counter)];
    }),
  );
}

function value(field: Field, counter: Counter): Json {
  const message = submessage(field);
  if (message !== undefined) return fullMessage(message, counter);
  return leaf(field, field.resolvedType instanceof protobuf.Enum ? counter.enums++ : counter.next++);
}

/** A value of a field that holds no message, another one for each number above 0. */
export function leaf(field: Field, number: number): Json {
  if (field.resolvedType instanceof protobuf.Enum) {
    const set = [...new Set(Object.values(field.resolvedType.values))].filter((each) => each !== 0);
    const id = set[number % set.length] ?? 1;
    return field.resolvedType.valuesById[id] ?? id;
  }
  switch (field.type) {
    case 'string':
      return `text-${number}`;
    case 'bytes':
      return Buffer.from([1 + (number % 250)]).toString('base64');
    case 'bool':
      return true;
    case 'int64':
      return String(number);
    default:
      return number;
  }
}
