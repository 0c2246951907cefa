import { type Field, JuteWriter } from './jute.js';
import type { Operation } from './protocol.js';

const writer = new JuteWriter();

/** A message with its length before it and no other header. */
export function framed<Q>(field: Field<Q, unknown>, value: Q): Buffer {
  writer.clear();
  writer.int(0);
  field.write(writer, value);
  writer.intAt(0, writer.length - 4);
  return writer.copy();
}

/** A request: length, xid (0, to be filled in), opcode, fields. */
export function encodeRequest<Q>(operation: Operation<Q, unknown>, request: Q): Buffer {
  writer.clear();
  writer.int(0);
  writer.int(0);
  writer.int(operation.code);
  operation.request.write(writer, request);
  writer.intAt(0, writer.length - 4);
  return writer.copy();
}

/** Size of a request as the server counts it: without the length. */
export function requestBytes(frame: Buffer): number {
  return frame.length - 4;
}
