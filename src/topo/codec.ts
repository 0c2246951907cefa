import { fromJson, type JsonObject, toJson } from './codec-json.js';
import { type MessageFields, messageType } from './codec-schema.js';
import { decodeMessage, encodeMessage, keepUnknown, type UnknownField, unknownFields } from './codec-wire.js';
import { ErrorCode, isTopologyError } from './errors.js';

/** A record, decoded for people and for comparison. Copying moves raw bytes and never comes here. */
export interface DecodedRecord {
  /** Protobuf's canonical JSON with proto field names. */
  readonly json: JsonObject;
  /** What the JSON cannot show. */
  readonly unknown: readonly UnknownField[];
}

/**
 * Decodes a record of a message such as `topodata.Shard`. Corrupt, with the reason, when it is none: truncated, a
 * string that is not UTF-8, a field of another wire type. Zero bytes are a message with nothing set.
 */
export function decode(message: string, bytes: Uint8Array): DecodedRecord {
  const type = messageType(message);
  const decoded = decodeMessage(type, bytes);
  return { json: toJson(type, decoded), unknown: unknownFields(type, decoded) };
}

/** Why a record does not decode, in a few words; undefined when it does. */
export function decodeProblem(message: string, bytes: Uint8Array): string | undefined {
  const read = fieldsOrProblem(message, bytes);
  return typeof read === 'string' ? read : undefined;
}

/** {@link readFields}, or, where the record does not decode, {@link decodeProblem}. */
export function fieldsOrProblem(message: string, bytes: Uint8Array): MessageFields | string {
  try {
    return readFields(message, bytes);
  } catch (error) {
    if (isTopologyError(error, ErrorCode.Corrupt)) return error.message;
    throw error;
  }
}

/**
 * Encodes canonical JSON, with proto or camelCase field names. Usage, naming the field, for names and values that do not
 * fit the message.
 */
export function encode(message: string, json: JsonObject): Uint8Array {
  const type = messageType(message);
  return encodeMessage(type, fromJson(type, json));
}

/**
 * The fields of a record under their proto names, as parts of which other records are built: a message within it keeps its
 * unknown fields wherever it is put. Corrupt as by {@link decode}.
 */
export function readFields(message: string, bytes: Uint8Array): MessageFields {
  return decodeMessage(messageType(message), bytes);
}

/** A record made of fields, their names proto names, messages those that {@link readFields} gave or objects like them. */
export function writeFields(message: string, fields: MessageFields): Uint8Array {
  return encodeMessage(messageType(message), fields);
}

/**
 * Changes a record through its JSON and keeps the unknown fields of the original, at every depth. Corrupt as by
 * {@link decode}, Usage as by {@link encode}, or when a changed list leaves open where its unknown fields belong.
 */
export function reencode(
  message: string,
  bytes: Uint8Array,
  change: (json: JsonObject) => JsonObject,
): Uint8Array {
  const type = messageType(message);
  const original = decodeMessage(type, bytes);
  const changed = fromJson(type, change(toJson(type, original)));
  keepUnknown(type, original, changed);
  return encodeMessage(type, changed);
}

/** What a CellInfo record says of where the cell's local store is. The address is in the implementation's own syntax. */
export interface CellAddress {
  readonly serverAddress: string;
  readonly root: string;
}

/** Reads the address in a CellInfo record; fields that are not set are empty. Corrupt as by {@link decode}. */
export function readCellInfo(bytes: Uint8Array): CellAddress {
  const { json } = decode(CELL_INFO, bytes);
  const text = (name: string) => (typeof json[name] === 'string' ? json[name] : '');
  return { serverAddress: text('server_address'), root: text('root') };
}

/** A CellInfo record with another address and everything else, unknown fields too, as it was. Corrupt as by {@link decode}. */
export function rewriteCellInfo(bytes: Uint8Array, address: CellAddress): Uint8Array {
  return reencode(CELL_INFO, bytes, (json) => ({
    ...json,
    server_address: address.serverAddress,
    root: address.root,
  }));
}

const CELL_INFO = 'topodata.CellInfo';
