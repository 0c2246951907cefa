import protobuf, { type Field, MapField, type Type } from 'protobufjs';
import { shortestFloat } from './codec-json.js';
import {
  elements,
  entries,
  isFields,
  isSet,
  type MessageFields,
  messageType,
  submessage,
} from './codec-schema.js';
import { decodeMessage, ownUnknownFields, type UnknownField } from './codec-wire.js';
import { compareBytewise } from './paths.js';

/** What the text of a record is to hold. */
export interface TextOptions {
  /** Fields that the schema does not know, by their numbers. Default: left out, as Vitess does. */
  readonly unknownFields?: boolean | undefined;
}

/**
 * A record of a message such as `topodata.Shard` in protobuf's text format, as Vitess 11 and newer print it: one line,
 * `name:value` and `name:{…}` held apart by single spaces, in the order of the schema, map entries in byte order of their
 * keys. Fields that are not set are left out: an empty record is an empty text. Corrupt when it does not decode.
 */
export function toText(message: string, bytes: Uint8Array, options: TextOptions = {}): string {
  const type = messageType(message);
  return messageText(type, decodeMessage(type, bytes), options);
}

function messageText(type: Type, message: MessageFields, options: TextOptions): string {
  const known = type.fieldsArray.filter((field) => isSet(field, message));
  const unknown = options.unknownFields === true ? ownUnknownFields(message) : [];
  return [
    ...known.flatMap((field) => fieldTexts(field, message, options)),
    ...unknown.map(({ number, ...value }) => `${number}:${unknownText(value)}`),
  ].join(' ');
}

function fieldTexts(field: Field, message: MessageFields, options: TextOptions): string[] {
  if (field instanceof MapField) {
    const sorted = entries(field, message).sort(([a], [b]) => compareBytewise(a, b));
    return sorted.map(([key, value]) => {
      const keyText = field.keyType === 'string' ? quoted(Buffer.from(key)) : key;
      return `${field.name}:{key:${keyText} value:${valueText(field, value, options)}}`;
    });
  }
  const values = field.repeated ? elements(field, message) : [message[field.name]];
  return values.map((value) => `${field.name}:${valueText(field, value, options)}`);
}

function valueText(field: Field, value: unknown, options: TextOptions): string {
  const inner = submessage(field);
  if (inner !== undefined) return `{${messageText(inner, isFields(value) ? value : {}, options)}}`;
  if (field.resolvedType instanceof protobuf.Enum) {
    const number = Number(value);
    return field.resolvedType.valuesById[number] ?? String(number);
  }
  if (value instanceof Uint8Array) return quoted(value);
  if (typeof value === 'string') return quoted(Buffer.from(value));
  if (field.type === 'float') return floatText(shortestFloat(Number(value)));
  if (field.type === 'double') return floatText(Number(value));
  return String(value);
}

/** A number as Go writes it: the fewest digits, with an exponent below 0.0001 and from 1,000,000 on. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0';
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** The value of an unknown field, as protobuf's text format has it: numbers of a fixed size in hexadecimal. */
function unknownText({ wireType, bytes }: Omit<UnknownField, 'number'>): string {
  const reader = protobuf.Reader.create(bytes);
  switch (wireType) {
    case 0:
      return String(reader.uint64());
    case 1:
    case 5:
      return `0x${Buffer.from(bytes).reverse().toString('hex')}`;
    default:
      return quoted(bytes);
  }
}

/**
 * Text in double quotes with Go's escapes: what is not UTF-8 as `\xff`, control characters likewise or as `\n`, `\r`,
 * `\t`; bytes that happen to be UTF-8 are shown as text, as Go does.
 */
export function quoted(bytes: Uint8Array): string {
  let text = '"';
  for (let at = 0; at < bytes.length; ) {
    const character = characterAt(bytes, at);
    text += character === undefined ? hexEscape(bytes[at] ?? 0) : escaped(character);
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return `${text}"`;
}

function escaped(character: string): string {
  const simple = ESCAPES[character];
  if (simple !== undefined) return simple;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return hexEscape(code);
  return code >= 0x80 && code <= 0x9f ? `\\u${code.toString(16).padStart(4, '0')}` : character;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

/** The character that the bytes at a place are, undefined when they are none. */
function characterAt(bytes: Uint8Array, at: number): string | undefined {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return String.fromCharCode(lead);
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > bytes.length) return undefined;
  const text = Buffer.from(bytes.subarray(at, at + length)).toString('utf8');
  const whole = Buffer.compare(Buffer.from(text), bytes.subarray(at, at + length)) === 0;
  return whole && [...text].length === 1 ? text : undefined;
}
