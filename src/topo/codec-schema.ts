import { fileURLToPath } from 'node:url';
import protobuf, { type Field, type Type } from 'protobufjs';
import { ErrorCode, TopologyError } from './errors.js';

/**
 * The messages of the proto folder, read at run time. The only module that loads and sets up protobufjs; its objects are
 * known to the codec, the comparison and the old forms (src/legacy), and to nobody else.
 */

// Fields of versions to come must survive; protobufjs drops them unless told otherwise, for all readers at once.
protobuf.Reader.discardUnknown = false;

/** A decoded message: a property for each field that is set, under its proto name; fields the schema lacks as raw bytes. */
export interface MessageFields {
  [name: string]: unknown;
  $unknowns?: Uint8Array[];
}

let loaded: protobuf.Root | undefined;

/** Every record that is decoded asks, and a lookup walks the tree of packages. */
const known = new Map<string, Type>();

/** The message of a full name such as `topodata.Shard`. Usage: there is none. */
export function messageType(name: string): Type {
  let type = known.get(name);
  if (type === undefined) {
    type = findType(name);
    known.set(name, type);
  }
  return type;
}

function findType(name: string): Type {
  loaded ??= load();
  const found = loaded.lookup(name, [protobuf.Type]);
  // A lookup also finds partial names, in whichever package comes first.
  if (found instanceof protobuf.Type && messageName(found) === name) return found;
  throw new TopologyError(ErrorCode.Usage, `the schema has no message ${name}`);
}

function load(): protobuf.Root {
  const root = new protobuf.Root();
  const files = ['topodata.proto', 'vschema.proto', 'workflow.proto'];
  root.loadSync(
    files.map((file) => fileURLToPath(new URL(`../../proto/${file}`, import.meta.url))),
    { keepCase: true },
  );
  root.resolveAll();
  return root;
}

const nameOf = new WeakMap<Type, string>();

/** Full name of a message, without protobufjs's leading dot. */
export function messageName(type: Type): string {
  let name = nameOf.get(type);
  if (name === undefined) {
    // protobufjs puts it together anew each time.
    name = type.fullName.slice(1);
    nameOf.set(type, name);
  }
  return name;
}

/** Message of a field's value, element or map value; undefined for scalars and enums. */
export function submessage(field: Field): Type | undefined {
  return field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined;
}

/** A field whose value, elements or map values are messages. */
export interface MessageField {
  readonly field: Field;
  readonly type: Type;
}

const messageFieldsOf = new WeakMap<Type, readonly MessageField[]>();

/** The fields of a message that hold messages, in the order of the schema. */
export function messageFields(type: Type): readonly MessageField[] {
  let found = messageFieldsOf.get(type);
  if (found === undefined) {
    found = type.fieldsArray.flatMap((field) => {
      const inner = submessage(field);
      return inner === undefined ? [] : [{ field, type: inner }];
    });
    messageFieldsOf.set(type, found);
  }
  return found;
}

/** Whether a singular field tells absent from its default value. */
export function hasPresence(field: Field): boolean {
  // Not field.hasPresence alone: it is false for messages.
  return submessage(field) !== undefined || Boolean(field.hasPresence);
}

/** Whether a message holds a field: present, where presence is known, otherwise not its default value. */
export function isSet(field: Field, message: MessageFields): boolean {
  if (!Object.hasOwn(message, field.name)) return false;
  const value = message[field.name];
  if (value === undefined || value === null) return false;
  if (field.map) return Object.keys(value).length > 0;
  if (Array.isArray(value)) return value.length > 0;
  // Minus zero is decoded as if it were set.
  return value !== 0 || hasPresence(field);
}

/** Elements of a repeated field. */
export function elements(field: Field, message: MessageFields): unknown[] {
  const value = message[field.name];
  return isSet(field, message) && Array.isArray(value) ? value : [];
}

/** Entries of a map field. */
export function entries(field: Field, message: MessageFields): [string, unknown][] {
  const value = message[field.name];
  return isSet(field, message) && isFields(value) ? Object.entries(value) : [];
}

/** Messages in a field, each with its place: `[2]` in a list, `[key]` in a map, nothing for a singular field. */
export function submessages(field: Field, message: MessageFields): [string, MessageFields][] {
  const value = message[field.name];
  const found: [string, unknown][] = field.map
    ? entries(field, message).map(([key, entry]) => [`[${key}]`, entry])
    : field.repeated
      ? elements(field, message).map((element, index) => [`[${index}]`, element])
      : [['', value]];
  return found.filter((place): place is [string, MessageFields] => isFields(place[1]));
}

export function isFields(value: unknown): value is MessageFields {
  return typeof value === 'object' && value !== null;
}
