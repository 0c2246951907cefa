import protobuf, { type Field } from 'protobufjs';
import type { Json } from '../topo/codec-json.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { nameOf } from './json-text.js';

/** A value of a field that holds no message, as protobuf's canonical JSON has it. Corrupt, naming the field. */
export function readScalar(field: Field, value: Json, at: string): Json {
  if (field.resolvedType instanceof protobuf.Enum) return readEnum(field.resolvedType, value, at);
  switch (field.type) {
    case 'string':
      return readText(value, at);
    case 'bytes':
      return readBase64(value, at);
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw misfit(at, `true or false is wanted, and there is ${nameOf(value)}`);
    case 'double':
    case 'float':
      if (typeof value === 'number') return value;
      throw misfit(at, `a number is wanted, and there is ${nameOf(value)}`);
    case 'int64':
      return String(readInteger(typeof value === 'string' ? Number(value) : value, at, -(2 ** 63), 2 ** 63));
    case 'uint32':
      return readInteger(value, at, 0, 2 ** 32 - 1);
    default:
      return readInteger(value, at, -(2 ** 31), 2 ** 31 - 1);
  }
}

/** Text, and well-formed. Corrupt, naming the field. */
export function readText(value: Json, at: string): string {
  if (typeof value !== 'string') throw misfit(at, `a text is wanted, and there is ${nameOf(value)}`);
  // JSON can spell half a character; Go puts the replacement character in its place.
  return value.toWellFormed();
}

/** A whole number within bounds. Corrupt, naming the field. */
export function readInteger(value: Json, at: string, least: number, most: number): number {
  if (typeof value !== 'number') throw misfit(at, `a number is wanted, and there is ${nameOf(value)}`);
  if (!Number.isInteger(value)) throw misfit(at, 'a whole number is wanted');
  if (value < least || value > most) throw misfit(at, `a number from ${least} to ${most} is wanted`);
  return value + 0;
}

function readEnum(type: protobuf.Enum, value: Json, at: string): number {
  if (typeof value !== 'string') return readInteger(value, at, -(2 ** 31), 2 ** 31 - 1);
  const word = value.toUpperCase();
  const found = Object.entries(type.values).find(([name]) => name.toUpperCase() === word);
  // The first Go structs have the empty text for what is not set.
  if (found === undefined && word !== '') throw misfit(at, `it is no ${type.name}`);
  return found?.[1] ?? 0;
}

function readBase64(value: Json, at: string): string {
  const text = readText(value, at);
  if (!BASE64.test(text)) throw misfit(at, 'base64 is wanted');
  return text;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A value that its field cannot have: where, and what is wrong with it. Never says the value itself. */
export function misfit(at: string, problem: string): TopologyError {
  return new TopologyError(ErrorCode.Corrupt, `${at}: ${problem}`);
}
