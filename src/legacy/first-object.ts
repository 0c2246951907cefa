import type { Json, JsonObject } from '../topo/codec-json.js';
import { showKey } from '../topo/diff-show.js';
import type { TabletAlias } from '../topo/names.js';
import type { LossKind } from '../topo/told.js';
import { isObject, nameOf } from './json-text.js';
import type { Reading } from './reading.js';
import { misfit, readInteger, readText } from './second-scalars.js';
import { typeNumber } from './tablet-types.js';

/**
 * An object of the first Go structs, whose fields are taken one by one; {@link rest} makes losses of those that nobody took. Names are
 * compared as Go does, without case. Every method fails with Corrupt, naming the field, for a value of another type.
 */
export class FirstObject {
  readonly json: JsonObject;
  readonly reading: Reading;
  readonly #prefix: string;
  readonly #left: Map<string, [name: string, value: Json]>;

  constructor(json: JsonObject, at: string, reading: Reading) {
    this.json = json;
    this.reading = reading;
    this.#prefix = at === '' ? '' : `${at}.`;
    this.#left = new Map();
    for (const [name, value] of Object.entries(json)) {
      const key = name.toLowerCase();
      // Of two names that Go holds for one, the second stays what it is: a field that nobody takes.
      this.#left.set(this.#left.has(key) ? name : key, [name, value]);
    }
  }

  /** Where a field is, for messages and losses. */
  at(name: string): string {
    return `${this.#prefix}${name}`;
  }

  /** A field; undefined: absent or null. */
  take(name: string): Json | undefined {
    const key = name.toLowerCase();
    const [, value] = this.#left.get(key) ?? [];
    this.#left.delete(key);
    return value ?? undefined;
  }

  text(name: string): string {
    const value = this.take(name);
    return value === undefined ? '' : readText(value, this.at(name));
  }

  texts(name: string): string[] {
    return this.list(name).map((value, index) => readText(value, `${this.at(name)}[${index}]`));
  }

  integer(name: string, least: number, most: number): number {
    const value = this.take(name);
    return value === undefined ? 0 : readInteger(value, this.at(name), least, most);
  }

  flag(name: string): boolean {
    const value = this.take(name);
    if (value === undefined || typeof value === 'boolean') return value ?? false;
    throw misfit(this.at(name), `true or false is wanted, and there is ${nameOf(value)}`);
  }

  list(name: string): Json[] {
    const value = this.take(name);
    if (value === undefined || Array.isArray(value)) return value ?? [];
    throw misfit(this.at(name), `a list is wanted, and there is ${nameOf(value)}`);
  }

  /** Entries of a map; undefined: absent. */
  entries(name: string): [key: string, value: Json][] | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (isObject(value)) return Object.entries(value);
    throw misfit(this.at(name), `an object is wanted, and there is ${nameOf(value)}`);
  }

  /** A map, each value of it read; empty where there is none. */
  map<T extends Json>(name: string, read: (value: Json, at: string) => T): { [key: string]: T } {
    const entries = this.entries(name) ?? [];
    return Object.fromEntries(
      entries.map(([key, value]) => [key, read(value, `${this.at(name)}[${showKey([key])}]`)]),
    );
  }

  /** An object; undefined: absent. */
  object(name: string): FirstObject | undefined {
    const value = this.take(name);
    return value === undefined ? undefined : this.inside(this.at(name), value);
  }

  objects(name: string): FirstObject[] {
    return this.list(name).map((value, index) => this.inside(`${this.at(name)}[${index}]`, value));
  }

  /** An object within this one. */
  inside(at: string, value: Json): FirstObject {
    if (isObject(value)) return new FirstObject(value, at, this.reading);
    throw misfit(at, `an object is wanted, and there is ${nameOf(value)}`);
  }

  /** Numbers of types of tablets, of which each comes once. */
  types(name: string): number[] {
    const found = this.list(name).map((value, i) =>
      typeNumber(value, `${this.at(name)}[${i}]`, this.reading),
    );
    return [...new Set(found)];
  }

  /** A map whose keys are types of tablets; undefined: absent. */
  byType<T>(name: string, read: (type: number, value: Json, at: string) => T): T[] | undefined {
    return this.entries(name)?.map(([word, value]) => {
      const at = `${this.at(name)}[${word}]`;
      return read(typeNumber(word, at, this.reading), value, at);
    });
  }

  /** A tablet's name; undefined: absent, or the zero alias, which means none. */
  alias(name: string): TabletAlias | undefined {
    const object = this.object(name);
    if (object === undefined) return undefined;
    const alias = { cell: object.text('Cell'), uid: object.integer('Uid', 0, MAX_UID) };
    object.rest();
    return alias.cell === '' && alias.uid === 0 ? undefined : alias;
  }

  /** Takes a field that has no counterpart: a loss, unless it says nothing. */
  lose(name: string, kind: LossKind): void {
    const value = this.take(name);
    if (value === undefined || saysNothing(value)) return;
    this.reading.losses.push({ kind, path: this.reading.path, field: this.at(name), value });
  }

  /** Takes a field that can be computed from other records. */
  derive(name: string, what: string): void {
    const value = this.take(name);
    if (value === undefined || saysNothing(value)) return;
    this.reading.derived.push({ path: this.reading.path, field: this.at(name), what });
  }

  /** All fields that nobody took are losses. */
  rest(): void {
    for (const [name, value] of this.#left.values()) {
      if (value === null) continue;
      this.reading.losses.push({
        kind: 'unknown-field',
        path: this.reading.path,
        field: this.at(name),
        value,
      });
    }
    this.#left.clear();
  }
}

/** The largest uid of a tablet. */
export const MAX_UID = 0xffff_ffff;

/** A zero value of Go. */
function saysNothing(value: Json): boolean {
  return (
    value === '' ||
    value === 0 ||
    value === false ||
    (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
  );
}
