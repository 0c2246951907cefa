import protobuf, { type Field, type Type } from 'protobufjs';
import { toJson } from './codec-json.js';
import { isFields, type MessageFields, messageFields, messageName, submessages } from './codec-schema.js';
import { ErrorCode, TopologyError } from './errors.js';

/** A field that the schema does not know: of a version of Vitess to come, or of somebody else's. */
export interface UnknownField {
  /** Where: `#9999` in the record itself, `tablet_controls[0].#7` in a message within it. */
  readonly path: string;
  readonly number: number;
  /** Of the protobuf encoding: 0 varint, 1 eight bytes, 2 length-delimited, 3 group, 5 four bytes. */
  readonly wireType: number;
  /** The value as it stands behind the tag, for length-delimited ones without the length. */
  readonly bytes: Uint8Array;
}

/** Reads a message. Corrupt, with the reason, for bytes that are no such message. */
export function decodeMessage(type: Type, bytes: Uint8Array): MessageFields {
  let message: unknown;
  try {
    message = type.decode(bytes);
  } catch (error) {
    throw corrupt(type, reasonOf(error), error);
  }
  const fields = isFields(message) ? message : {};
  const wrong = wrongWireType(type, fields);
  if (wrong !== undefined) throw corrupt(type, `field ${wrong}`);
  return fields;
}

/** Writes a message: its fields in the order of their numbers, then the unknown ones as they were read. */
export function encodeMessage(type: Type, message: MessageFields): Uint8Array {
  return type.encode(message).finish();
}

/** All unknown fields of a message and of the messages in it. Entries of maps themselves can keep none. */
export function unknownFields(type: Type, message: MessageFields): UnknownField[] {
  return [...messagesIn(type, message, '')].flatMap((part) => ownUnknownFields(part.message, part.prefix));
}

/** A message of a record: the record itself, or one within it. */
export interface MessagePart {
  readonly type: Type;
  readonly message: MessageFields;
  /** What the paths of the message's fields begin with. */
  readonly prefix: string;
}

/** A message and all messages in it. */
export function* messagesIn(type: Type, message: MessageFields, prefix: string): Generator<MessagePart> {
  yield { type, message, prefix };
  for (const { field, type: inner } of messageFields(type)) {
    for (const [place, child] of submessages(field, message))
      yield* messagesIn(inner, child, `${prefix}${field.name}${place}.`);
  }
}

/** The unknown fields of a message itself, their paths behind `prefix`. */
export function ownUnknownFields(message: MessageFields, prefix = ''): UnknownField[] {
  return (message.$unknowns ?? []).map((raw) => readUnknown(raw, prefix));
}

function readUnknown(raw: Uint8Array, prefix: string): UnknownField {
  const reader = protobuf.Reader.create(raw);
  const tag = reader.uint32();
  const number = tag >>> 3;
  const wireType = tag & 7;
  const bytes = wireType === 2 ? reader.bytes() : raw.subarray(reader.pos);
  return { path: `${prefix}#${number}`, number, wireType, bytes };
}

/**
 * protobufjs takes a known field of another wire type for an unknown one; it would be lost to whoever looks for it. Every
 * decoding comes here, so what is told is put together only where there is something to tell.
 */
function wrongWireType(type: Type, message: MessageFields): string | undefined {
  if (message.$unknowns !== undefined) {
    for (const { number, wireType } of ownUnknownFields(message)) {
      const field = type.fieldsById[number];
      if (field !== undefined) return `${field.name} has wire type ${wireType}`;
    }
  }
  for (const { field, type: inner } of messageFields(type)) {
    const wrong =
      field.repeated || field.map ? wrongInside(field, inner, message) : wrongAt(inner, message[field.name]);
    if (wrong !== undefined) return `${field.name}${wrong}`;
  }
  return undefined;
}

function wrongAt(type: Type, value: unknown): string | undefined {
  const wrong = isFields(value) ? wrongWireType(type, value) : undefined;
  return wrong === undefined ? undefined : `.${wrong}`;
}

function wrongInside(field: Field, type: Type, message: MessageFields): string | undefined {
  for (const [place, child] of submessages(field, message)) {
    const wrong = wrongWireType(type, child);
    if (wrong !== undefined) return `${place}.${wrong}`;
  }
  return undefined;
}

function corrupt(type: Type, reason: string, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.Corrupt, `not a ${messageName(type)}: ${reason}`, { cause });
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return 'it ends within a field';
  // Node's decoder of UTF-8 is the only part below that throws this.
  if (error instanceof TypeError) return 'a string is not valid UTF-8';
  return error instanceof Error ? error.message : String(error);
}

/**
 * Gives a changed message, made anew, the unknown fields of its original, at every depth. Elements of lists belong
 * together when they are equal, otherwise when both lists have the same length and they the same place. Usage when that leaves open whose
 * unknown fields an element should get.
 */
export function keepUnknown(type: Type, original: MessageFields, changed: MessageFields): void {
  if (original.$unknowns !== undefined) changed.$unknowns = original.$unknowns;
  for (const { field, type: inner } of messageFields(type)) {
    const befores = submessages(field, original);
    const afters = submessages(field, changed);
    const pairs =
      field.repeated && !field.map ? pairElements(inner, befores, afters) : pairPlaces(befores, afters);
    for (const [before, after] of pairs) keepUnknown(inner, before, after);
  }
}

type Place = [string, MessageFields];
type Pair = [MessageFields, MessageFields];

function pairPlaces(befores: readonly Place[], afters: readonly Place[]): Pair[] {
  const changed = new Map(afters);
  return befores.flatMap(([place, before]): Pair[] => {
    const after = changed.get(place);
    return after === undefined ? [] : [[before, after]];
  });
}

function pairElements(type: Type, befores: readonly Place[], afters: readonly Place[]): Pair[] {
  const text = (message: MessageFields) => JSON.stringify(toJson(type, message));
  const free = new Map(afters.map(([place, after]) => [place, { after, text: text(after) }]));
  const pairs: Pair[] = [];
  const lone: Place[] = [];
  for (const [place, before] of befores) {
    const wanted = text(before);
    const found = [...free].find(([, candidate]) => candidate.text === wanted);
    if (found === undefined) {
      lone.push([place, before]);
    } else {
      free.delete(found[0]);
      pairs.push([before, found[1].after]);
    }
  }
  const left = [...free].map(([place, { after }]): Place => [place, after]);
  const changed = befores.length === afters.length ? pairPlaces(lone, left) : [];
  const paired = new Set(changed.map(([before]) => before));
  const lost = lone.filter(([, before]) => !paired.has(before) && unknownFields(type, before).length > 0);
  if (lost.length > 0 && left.length > changed.length) {
    throw new TopologyError(
      ErrorCode.Usage,
      `several ${messageName(type)} changed at once, and one has fields this version does not know`,
      { hint: 'change the elements, their order and their number in separate steps' },
    );
  }
  return [...pairs, ...changed];
}
