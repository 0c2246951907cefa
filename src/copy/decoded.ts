import { fieldsOrProblem } from '../topo/codec.js';
import { Glance, type Texts } from '../topo/codec-glance.js';
import { isFields, type MessageFields } from '../topo/codec-schema.js';
import type { StoredRecord } from '../topo/connection.js';
import type { KindRow } from '../topo/kinds.js';

const NONE: MessageFields = {};
const NO_TEXTS: Texts = [];

/** What is asked of every record: whether it decodes, and of a Tablet to which shard it belongs. */
const ASKED: readonly string[] = ['keyspace', 'shard'];
const NOTHING_ASKED: readonly string[] = [];
const glances = new Map<string, Glance>();

/** A record of one side and its kind. It is decoded when somebody asks what a glance does not tell, and then once. */
export class Decoded {
  readonly row: KindRow;
  readonly record: StoredRecord;
  #read: MessageFields | string | undefined;
  /** Undefined: nobody has looked; null: a glance does not tell. */
  #texts: Texts | null | undefined;

  constructor(row: KindRow, record: StoredRecord) {
    this.row = row;
    this.record = record;
  }

  /** Why it does not decode; undefined when it does, or has no message. */
  get problem(): string | undefined {
    if (this.#glance() !== null) return undefined;
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
    const place = this.row.kind === 'Tablet' ? ASKED.indexOf(name) : -1;
    const texts = place < 0 ? null : this.#glance();
    if (texts !== null) return texts[place];
    const value = this.fields[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** A field that is a message; undefined where it is not set. */
  message(name: string): MessageFields | undefined {
    const value = this.fields[name];
    return isFields(value) ? value : undefined;
  }

  #glance(): Texts | null {
    if (this.#texts === undefined) {
      const { row, record } = this;
      this.#texts = row.message === null ? NO_TEXTS : (glanceOf(row).at(record.bytes) ?? null);
    }
    return this.#texts;
  }

  #decode(): MessageFields | string {
    const { row, record } = this;
    this.#read ??= row.message === null ? NONE : fieldsOrProblem(row.message, record.bytes);
    return this.#read;
  }
}

function glanceOf({ kind, message }: KindRow): Glance {
  const name = message ?? '';
  let glance = glances.get(name);
  if (glance === undefined) {
    glance = new Glance(name, kind === 'Tablet' ? ASKED : NOTHING_ASKED);
    glances.set(name, glance);
  }
  return glance;
}
