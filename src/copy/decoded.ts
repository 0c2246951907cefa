import { fieldsOrProblem } from '../topo/codec.js';
import { isFields, type MessageFields } from '../topo/codec-schema.js';
import type { StoredRecord } from '../topo/connection.js';
import type { KindRow } from '../topo/kinds.js';

const NONE: MessageFields = {};

/** A record of one side and its kind. It is decoded when somebody asks what it says, and then once. */
export class Decoded {
  readonly row: KindRow;
  readonly record: StoredRecord;
  #read: MessageFields | string | undefined;

  constructor(row: KindRow, record: StoredRecord) {
    this.row = row;
    this.record = record;
  }

  /** Why it does not decode; undefined when it does, or has no message. */
  get problem(): string | undefined {
    const read = this.#decode();
    return typeof read === 'string' ? read : undefined;
  }

  /** Its fields under their proto names; none where it does not decode, or has no message. */
  get fields(): MessageFields {
    const read = this.#decode();
    return typeof read === 'string' ? NONE : read;
  }

  /** A field of text; undefined where it is not set. */
  text(name: string): string | undefined {
    const value = this.fields[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** A field that is a message; undefined where it is not set. */
  message(name: string): MessageFields | undefined {
    const value = this.fields[name];
    return isFields(value) ? value : undefined;
  }

  #decode(): MessageFields | string {
    const { row, record } = this;
    this.#read ??= row.message === null ? NONE : fieldsOrProblem(row.message, record.bytes);
    return this.#read;
  }
}
