import { list, object, text, thrown } from '../editing/ranges.js';
import type { StoredRange } from '../graph/shards.js';
import type { Json, JsonObject } from '../topo/codec-json.js';
import type { StoredRecord } from '../topo/connection.js';
import { formatTabletAlias, parseTabletAlias } from '../topo/names.js';
import { termOf } from '../topo/term.js';
import type { LintFinding } from './finding.js';
import type { RecordCheck } from './record.js';

/** What the global store says, as far as other records depend on it. */
export interface World {
  /** CellInfo of each cell; undefined: it does not decode. */
  readonly cells: ReadonlyMap<string, JsonObject | undefined>;
  /** Cells of each CellsAlias. */
  readonly aliases: ReadonlyMap<string, readonly string[]>;
  /** Every directory below `keyspaces`. */
  readonly keyspaces: ReadonlyMap<string, KnownKeyspace>;
  readonly rules: ReadonlyMap<RulesKind, readonly JsonObject[]>;
}

export type RulesKind = 'RoutingRules' | 'ShardRoutingRules' | 'KeyspaceRoutingRules' | 'MirrorRules';

/** A keyspace. */
export interface KnownKeyspace {
  readonly name: string;
  /** Whether there are such records, whatever they hold. */
  hasRecord: boolean;
  hasVSchema: boolean;
  /** Undefined: none, or it does not decode. */
  json: JsonObject | undefined;
  vschema: JsonObject | undefined;
  readonly shards: Map<string, KnownShard>;
}

/** A shard that has a Shard record: little, since there may be very many. */
export interface KnownShard {
  readonly keyspace: string;
  readonly name: string;
  /** False: the record does not decode, and all that follows is unknown. */
  readonly isRead: boolean;
  readonly range: StoredRange | undefined;
  readonly isServing: boolean;
  /** served_types says that it serves. */
  readonly servedOnce: boolean;
  /** Whether it names a primary at all. */
  readonly hasPrimary: boolean;
  /** `zone1-0000000100`; undefined: none, or no alias. */
  readonly primary: string | undefined;
  readonly primaryCell: string | undefined;
  readonly term: bigint;
  /** `<keyspace>/<shard>` of source_shards. */
  readonly sources: readonly string[];
  /** Cells that tablet_controls and served_types name. */
  readonly namedCells: readonly string[];
}

/** Makes a {@link World} of the records of the global store, in any order. */
export class WorldReading implements World {
  readonly cells = new Map<string, JsonObject | undefined>();
  readonly aliases = new Map<string, readonly string[]>();
  readonly keyspaces = new Map<string, KnownKeyspace>();
  readonly rules = new Map<RulesKind, readonly JsonObject[]>();
  readonly #check: RecordCheck;
  /** One text for each name, which very many shards have. */
  readonly #cellNames = new Map<string, string>();

  constructor(check: RecordCheck) {
    this.#check = check;
  }

  /** Takes note of a record, and answers with what is wrong with it by itself. */
  add(record: StoredRecord): readonly LintFinding[] {
    const { kind, names, json, found } = this.#check.examine('global', record);
    const { cell = '', alias = '', keyspace = '', shard = '' } = names;
    switch (kind) {
      case 'CellInfo':
        this.cells.set(cell, json);
        break;
      case 'CellsAlias':
        this.aliases.set(alias, list(json?.['cells']).map(text));
        break;
      case 'Keyspace':
        Object.assign(this.#keyspace(keyspace), { hasRecord: true, json });
        break;
      case 'VSchema':
        Object.assign(this.#keyspace(keyspace), { hasVSchema: true, vschema: json });
        break;
      case 'Shard':
        this.#addShard(keyspace, shard, json);
        break;
      case 'RoutingRules':
      case 'ShardRoutingRules':
      case 'KeyspaceRoutingRules':
      case 'MirrorRules':
        this.rules.set(kind, list(json?.['rules']).map(object));
        break;
    }
    return found;
  }

  #addShard(keyspace: string, shard: string, json: JsonObject | undefined): void {
    const { name, shards } = this.#keyspace(keyspace);
    const read = readShard(name, shard, json);
    const { primaryCell } = read;
    if (primaryCell !== undefined && !this.#cellNames.has(primaryCell))
      this.#cellNames.set(primaryCell, primaryCell);
    shards.set(shard, { ...read, primaryCell: primaryCell && this.#cellNames.get(primaryCell) });
  }

  #keyspace(name: string): KnownKeyspace {
    const known = this.keyspaces.get(name);
    if (known !== undefined) return known;
    const made: KnownKeyspace = {
      name,
      hasRecord: false,
      hasVSchema: false,
      json: undefined,
      vschema: undefined,
      shards: new Map(),
    };
    this.keyspaces.set(name, made);
    return made;
  }
}

function readShard(keyspace: string, name: string, json: JsonObject | undefined): KnownShard {
  const fields = json ?? {};
  const served = list(fields['served_types']).map(object);
  const controls = list(fields['tablet_controls']).map(object);
  const named = fields['primary_alias'];
  const primary = isAlias(aliasOf(named)) ? named : undefined;
  return {
    keyspace,
    name,
    isRead: json !== undefined,
    range: rangeOf(fields['key_range']),
    isServing: fields['is_primary_serving'] === true,
    servedOnce: served.some(({ tablet_type }) => tablet_type === 'PRIMARY'),
    hasPrimary: named !== undefined,
    primary: aliasOf(primary),
    primaryCell: primary === undefined ? undefined : text(object(primary)['cell']),
    term: termOf(fields['primary_term_start_time']),
    sources: kept(
      list(fields['source_shards'])
        .map(object)
        .map((source) => `${text(source['keyspace'])}/${text(source['shard'])}`),
    ),
    namedCells: kept([...controls, ...served].flatMap(({ cells }) => list(cells).map(text))),
  };
}

function isAlias(alias: string | undefined): boolean {
  return alias !== undefined && thrown(() => parseTabletAlias(alias)) === undefined;
}

/** An alias as text; undefined where none is set. */
export function aliasOf(json: Json | undefined): string | undefined {
  if (json === undefined) return undefined;
  const { cell, uid } = object(json);
  return formatTabletAlias({ cell: text(cell), uid: Number(uid ?? 0) });
}

function rangeOf(json: Json | undefined): StoredRange | undefined {
  if (json === undefined) return undefined;
  const { start, end } = object(json);
  return new TextRange(text(start), text(end));
}

/** A key range that is kept as base64: two short texts are much less than two buffers. */
class TextRange implements StoredRange {
  readonly #start: string;
  readonly #end: string;

  constructor(start: string, end: string) {
    this.#start = start;
    this.#end = end;
  }

  get start(): Uint8Array {
    return Buffer.from(this.#start, 'base64');
  }

  get end(): Uint8Array {
    return Buffer.from(this.#end, 'base64');
  }
}

const NONE: readonly string[] = [];

/** Nearly all lists are empty: these are one. */
function kept(names: readonly string[]): readonly string[] {
  return names.length === 0 ? NONE : names;
}

/** Where the record of a shard is. */
export function shardPath({ keyspace, name }: Pick<KnownShard, 'keyspace' | 'name'>): string {
  return `keyspaces/${keyspace}/shards/${name}/Shard`;
}
