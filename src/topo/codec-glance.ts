import protobuf, { type Field, type Type } from 'protobufjs';
import { messageType, submessage } from './codec-schema.js';

/** Texts of a record, in the order in which they were asked for; undefined: not set, or empty. */
export type Texts = readonly (string | undefined)[];

/**
 * Sees whether a record of one message decodes, and what some of its own fields of text say, without decoding it. It knows the
 * plain form that records nearly always have; of all others it says nothing, and they are to be decoded.
 */
export class Glance {
  readonly #message: string;
  readonly #names: readonly string[];
  #table: Table | undefined;
  /** Where each text begins and ends, as far as it was found. */
  readonly #spans: number[] = [];
  /** The texts of the record before, which those of the next one mostly are, too: a text that is made anew costs more. */
  #texts: readonly (string | undefined)[] = [];

  /** @param message such as `topodata.Tablet`; names: singular fields of text */
  constructor(message: string, names: readonly string[]) {
    this.#message = message;
    this.#names = names;
  }

  /** Its texts, of a record that is sure to decode; undefined: decode it to see. */
  at(bytes: Uint8Array): Texts | undefined {
    this.#table ??= tableOf(messageType(this.#message), this.#names);
    const spans = this.#spans;
    spans.fill(0, 0, 2 * this.#names.length);
    if (!fits(this.#table, bytes, 0, bytes.byteLength, spans, MAX_DEPTH)) return undefined;
    if (!this.#areAsBefore(bytes))
      this.#texts = this.#names.map((_, i) => textOf(bytes, spans[2 * i] ?? 0, spans[2 * i + 1] ?? 0));
    return this.#texts;
  }

  /** Whether the texts at the present spans are those of the record before. */
  #areAsBefore(bytes: Uint8Array): boolean {
    const texts = this.#texts;
    const spans = this.#spans;
    if (texts.length !== this.#names.length) return false;
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i] ?? '';
      const from = spans[2 * i] ?? 0;
      if ((spans[2 * i + 1] ?? 0) - from !== text.length) return false;
      for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text.charCodeAt(at)) return false;
    }
    return true;
  }
}

/** What may follow a tag. */
const Form = { Varint: 1, Fixed64: 2, Fixed32: 3, Text: 4, Bytes: 5, Message: 6, Varints: 7 } as const;
type Form = (typeof Form)[keyof typeof Form];

/** One field as it is written. */
interface Row {
  readonly form: Form;
  /** Of a message: its fields. */
  readonly inner: Table | undefined;
  /** Place among the texts that were asked for; -1: none. */
  readonly place: number;
}

/** Rows by tag: the field's number, and how it is written. */
type Table = (Row | undefined)[];

/** Of messages in messages: far less than what the decoder takes. */
const MAX_DEPTH = 16;
/** Bytes of the longest varint. */
const LONGEST_VARINT = 10;
/** First bit of a varint's bytes but the last, and of all that is no ASCII. */
const MORE = 0x80;

/** Whether the bytes from one place to another are fields of the table in their plain form. */
function fits(
  table: Table,
  bytes: Uint8Array,
  from: number,
  to: number,
  spans: number[] | undefined,
  depth: number,
): boolean {
  let at = from;
  while (at < to) {
    let tag = bytes[at++] ?? 0;
    if (tag >= MORE) {
      const second = at < to ? (bytes[at++] ?? 0) : 0;
      // A tag of more bytes, or of more than it needs, is left to the decoder.
      if (second === 0 || second >= MORE) return false;
      tag += (second - 1) * MORE;
    }
    const row = table[tag];
    if (row === undefined) return false;
    const { form } = row;
    if (form === Form.Varint) {
      at = afterVarint(bytes, at, to);
      if (at < 0) return false;
      continue;
    }
    if (form === Form.Fixed64 || form === Form.Fixed32) {
      at += form === Form.Fixed64 ? 8 : 4;
      continue;
    }
    let length = at < to ? (bytes[at++] ?? 0) : MORE;
    if (length >= MORE) {
      const second = at < to ? (bytes[at++] ?? 0) : MORE;
      if (second >= MORE) return false;
      length += (second - 1) * MORE;
    }
    const end = at + length;
    if (end > to) return false;
    if (form === Form.Text) {
      for (let i = at; i < end; i++) if ((bytes[i] ?? 0) >= MORE) return false;
      if (row.place >= 0 && spans !== undefined) {
        spans[row.place] = at;
        spans[row.place + 1] = end;
      }
    } else if (form === Form.Message) {
      const { inner } = row;
      if (inner === undefined || depth === 0 || !fits(inner, bytes, at, end, undefined, depth - 1))
        return false;
    } else if (form === Form.Varints) {
      for (let i = at; i < end; ) {
        i = afterVarint(bytes, i, end);
        if (i < 0) return false;
      }
    }
    at = end;
  }
  return at === to;
}

/** Where a varint ends; -1: not before `to`. */
function afterVarint(bytes: Uint8Array, from: number, to: number): number {
  const limit = Math.min(to, from + LONGEST_VARINT);
  for (let at = from; at < limit; at++) if ((bytes[at] ?? MORE) < MORE) return at + 1;
  return -1;
}

function textOf(bytes: Uint8Array, from: number, to: number): string | undefined {
  if (from === to) return undefined;
  // All of it is ASCII. Most records are Buffers, which need no other view.
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1', from, to);
}

/** The fields of a message; `known`: those of messages that hold this one, and so on. */
function tableOf(type: Type, names: readonly string[], known = new Map<Type, Table>()): Table {
  const table: Table = [];
  known.set(type, table);
  for (const field of type.fieldsArray) {
    const form = formOf(field);
    if (form === undefined) continue;
    const place = names.indexOf(field.name);
    table[field.id * 8 + WIRE_TYPES[form]] = {
      form,
      inner: form === Form.Message ? innerTable(field, known) : undefined,
      place: place < 0 ? -1 : 2 * place,
    };
  }
  return table;
}

/** How a field is written; undefined where the decoder is to see to it. */
function formOf(field: Field): Form | undefined {
  if (field.map || submessage(field) !== undefined) return Form.Message;
  const form = field.resolvedType instanceof protobuf.Enum ? Form.Varint : SCALARS[field.type];
  if (!field.repeated || form === Form.Text || form === Form.Bytes) return form;
  return form === Form.Varint ? Form.Varints : undefined;
}

/** The fields of what a field holds, which for a map is entries of key and value. */
function innerTable(field: Field, known: Map<Type, Table>): Table | undefined {
  const type = submessage(field);
  const held = type === undefined ? undefined : (known.get(type) ?? tableOf(type, [], known));
  if (!(field instanceof protobuf.MapField)) return held;
  const key = SCALARS[field.keyType];
  const value =
    held === undefined
      ? field.resolvedType instanceof protobuf.Enum
        ? Form.Varint
        : SCALARS[field.type]
      : Form.Message;
  if (key === undefined || value === undefined) return undefined;
  const entry: Table = [];
  entry[8 + WIRE_TYPES[key]] = { form: key, inner: undefined, place: -1 };
  entry[16 + WIRE_TYPES[value]] = { form: value, inner: held, place: -1 };
  return entry;
}

const WIRE_TYPES = {
  [Form.Varint]: 0,
  [Form.Fixed64]: 1,
  [Form.Fixed32]: 5,
  [Form.Text]: 2,
  [Form.Bytes]: 2,
  [Form.Message]: 2,
  [Form.Varints]: 2,
} as const;

const SCALARS: Readonly<Record<string, Form>> = {
  int32: Form.Varint,
  uint32: Form.Varint,
  sint32: Form.Varint,
  int64: Form.Varint,
  uint64: Form.Varint,
  sint64: Form.Varint,
  bool: Form.Varint,
  double: Form.Fixed64,
  fixed64: Form.Fixed64,
  sfixed64: Form.Fixed64,
  float: Form.Fixed32,
  fixed32: Form.Fixed32,
  sfixed32: Form.Fixed32,
  string: Form.Text,
  bytes: Form.Bytes,
};
