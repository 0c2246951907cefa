import protobuf, { type Field, type Type } from 'protobufjs';
import { hasPresence, submessage } from './codec-schema.js';

/** How the value of a field reads. All others are left to the decoder. */
export type Reading = 'text' | 'bytes' | 'bool' | 'int32' | 'uint32' | 'int64' | 'enum' | 'message' | 'map';

/** One field of a message. */
export interface Row {
  readonly reading: Reading;
  /** Place in the schema, whose order the text has. */
  readonly place: number;
  /** `"name":`, as text. */
  readonly name: string;
  readonly repeated: boolean;
  /** Whether it stands in the text with its default value, too. */
  readonly shown: boolean;
  /** The default value as JSON text. */
  readonly default: string;
  /** Of an enum, as JSON text. */
  readonly names: Readonly<Record<number, string>> | undefined;
  /** Of a message. */
  readonly type: Type | undefined;
  /** Of a map whose keys are text: its values. */
  readonly entry: Row | undefined;
}

/** Rows by tag: the field's number, and how it is written. */
export type Table = readonly (Row | undefined)[];

const tables = new WeakMap<Type, Table>();

/** The fields of a message that are rendered without being decoded. */
export function tableOf(type: Type): Table {
  let table = tables.get(type);
  if (table === undefined) {
    const made: (Row | undefined)[] = [];
    for (const [place, field] of type.fieldsArray.entries()) {
      const row = rowOf(field, place);
      if (row !== undefined) made[field.id * 8 + wireTypeOf(row.reading)] = row;
    }
    table = made;
    tables.set(type, table);
  }
  return table;
}

function rowOf(field: Field, place: number): Row | undefined {
  const value = readingOf(field);
  // Which of several that exclude each other counts is for the decoder to say, and lists of numbers are written in two ways.
  const isChoice = field.partOf !== null && field.partOf.fieldsArray.length > 1;
  if (value === undefined || isChoice) return undefined;
  const isMap = field instanceof protobuf.MapField;
  if (isMap && field.keyType !== 'string') return undefined;
  if (field.repeated && !isMap && wireTypeOf(value) === 0) return undefined;
  const names = field.resolvedType instanceof protobuf.Enum ? namesOf(field.resolvedType) : undefined;
  const common = {
    place,
    name: `${JSON.stringify(field.name)}:`,
    shown: isMap || hasPresence(field),
    default: value === 'enum' ? (names?.[0] ?? '0') : (DEFAULTS[value] ?? ''),
    names,
    type: submessage(field),
  };
  const one: Row = { ...common, reading: value, repeated: field.repeated && !isMap, entry: undefined };
  return isMap ? { ...common, reading: 'map', repeated: true, entry: one } : one;
}

function namesOf({ valuesById }: protobuf.Enum): Record<number, string> {
  return Object.fromEntries(Object.entries(valuesById).map(([id, name]) => [id, JSON.stringify(name)]));
}

const DEFAULTS: Readonly<Partial<Record<Reading, string>>> = {
  text: '""',
  bytes: '""',
  bool: 'false',
  int32: '0',
  uint32: '0',
  int64: '"0"',
};

function readingOf(field: Field): Reading | undefined {
  if (submessage(field) !== undefined) return 'message';
  return field.resolvedType instanceof protobuf.Enum ? 'enum' : READINGS[field.type];
}

const READINGS: Readonly<Record<string, Reading>> = {
  string: 'text',
  bytes: 'bytes',
  bool: 'bool',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  uint64: 'int64',
};

/** How a value is written: as a number, or as so many bytes. */
export function wireTypeOf(reading: Reading): number {
  return reading === 'text' || reading === 'bytes' || reading === 'message' || reading === 'map' ? 2 : 0;
}
