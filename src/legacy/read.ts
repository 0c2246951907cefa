import { encode } from '../topo/codec.js';
import type { JsonObject } from '../topo/codec-json.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { formatTabletAlias, type TabletAlias } from '../topo/names.js';
import { shortened, type Transcoded } from '../topo/told.js';
import { aliasIn } from './alias-json.js';
import { readFirstKeyspace } from './first-keyspace.js';
import { FirstObject } from './first-object.js';
import { aliasesOf, readFirstReplication } from './first-replication.js';
import { readFirstEndPoints, readFirstSrvShard } from './first-serving.js';
import { readFirstShard } from './first-shard.js';
import { readFirstSrvKeyspace } from './first-srv-keyspace.js';
import { readFirstTablet } from './first-tablet.js';
import { isFirstVSchema, readFirstVSchema } from './first-vschema.js';
import { isCapital, isObject, readJsonText } from './json-text.js';
import { OLD_MESSAGES, type OldKind, type OldRecord } from './places.js';
import { type Numbering, type Reading, reading } from './reading.js';
import { readSecond } from './second-read.js';
import { typeIn } from './tablet-types.js';

/** What reading a record needs to know of its topology. */
export interface ReadOptions {
  readonly numbering: Numbering;
  /** Names of the keyspace's shards, for a SrvKeyspace of generation 1; undefined: unknown. */
  readonly shards?: readonly string[] | undefined;
  /** Whether the store is of a kind that had keyspaces before they had data. Default: it is. */
  readonly hadBareKeyspaces?: boolean | undefined;
}

/**
 * Reads a record of either generation, which is told by its names alone: those of generation 1 begin with capital letters. Corrupt, naming
 * the path, the field and what is wrong with it, when it is in neither form. A Keyspace that is no JSON is read as an empty one
 * with a note, since keyspaces had no data at first and other tools left theirs there, unless it begins as one of generation 2, or
 * `hadBareKeyspaces` says that there they always had data.
 */
export function readOld(record: OldRecord, value: Uint8Array, options: ReadOptions): Transcoded {
  const told = reading(record.path, options.numbering);
  let generation: Transcoded['generation'];
  try {
    const json = jsonOf(record, value, told, options);
    generation = generationOf(record.kind, json);
    const canonical = canonicalOf(record, json, generation, told, options);
    const { losses, derived, notes } = told;
    if (canonical === undefined)
      return { generation, bytes: undefined, losses: onlyType(told), derived, notes };
    noteAlias(record, canonical, told);
    return { generation, bytes: encode(OLD_MESSAGES[record.kind], canonical), losses, derived, notes };
  } catch (error) {
    throw corrupt(record, generation, error);
  }
}

/** The generation of a record; undefined: it has no fields, which is the same in both. */
function generationOf(kind: OldKind, json: JsonObject): 1 | 2 | undefined {
  const names = Object.keys(json);
  if (names.length === 0) return undefined;
  if (kind === 'VSchema') return isFirstVSchema(json) ? 1 : 2;
  if (kind === 'EndPoints') return hasNamedPorts(json) ? 1 : 2;
  return names.some(isCapital) ? 1 : 2;
}

/** EndPoints had small letters from the beginning. */
function hasNamedPorts(json: JsonObject): boolean {
  const entries = json['entries'];
  return (
    Array.isArray(entries) &&
    entries.some((entry) => isObject(entry) && ('named_port_map' in entry || 'port' in entry))
  );
}

function jsonOf(
  { kind }: OldRecord,
  value: Uint8Array,
  told: Reading,
  { hadBareKeyspaces = true }: ReadOptions,
): JsonObject {
  try {
    return readJsonText(value);
  } catch (error) {
    const isForeign = kind === 'Keyspace' && hadBareKeyspaces && !beginsAsSecond(value);
    if (!isForeign || !isTopologyError(error)) throw error;
    const text = `what is in it is left behind, since ${error.message}: ${shortened(JSON.stringify(Buffer.from(value).toString()))}`;
    told.notes.push({ path: told.path, field: '', text });
    return {};
  }
}

/** Whether a value begins as a record of generation 2, which always had data: what does not parse is then damaged, and nobody else's. */
function beginsAsSecond(value: Uint8Array): boolean {
  return /^\s*\{\s*"[a-z]/.test(Buffer.from(value).toString('latin1'));
}

/** A record in canonical JSON; undefined: it has no counterpart. */
function canonicalOf(
  record: OldRecord,
  json: JsonObject,
  generation: Transcoded['generation'],
  told: Reading,
  options: ReadOptions,
): JsonObject | undefined {
  if (generation === 1) return first(record, new FirstObject(json, '', told), options);
  const canonical = readSecond(OLD_MESSAGES[record.kind], json, told);
  const leftOut = record.kind === 'Tablet' && typeIn(json['type'], options.numbering)?.leftOut === true;
  return leftOut ? undefined : canonical;
}

function first(record: OldRecord, object: FirstObject, options: ReadOptions): JsonObject | undefined {
  switch (record.kind) {
    case 'Keyspace':
      return readFirstKeyspace(object);
    case 'VSchema':
      return readFirstVSchema(object);
    case 'Shard':
      return readFirstShard(object, record.shard ?? '');
    case 'Tablet':
      return readFirstTablet(object);
    case 'ShardReplication':
      return { nodes: ownNodes(record, aliasesOf(readFirstReplication(object)), object.reading) };
    case 'SrvKeyspace':
      return readFirstSrvKeyspace(object, options.shards);
    case 'SrvShard':
      return readFirstSrvShard(object, record.shard ?? '');
    case 'EndPoints':
      return readFirstEndPoints(object);
    case 'SrvVSchema':
      // It came with generation 2; what is spelled in capital letters was written by hand.
      return readSecond(OLD_MESSAGES.SrvVSchema, object.json, object.reading);
  }
}

/** Tablets of the record's own cell. Those of others belong into the records of their cells, which {@link shardReplication} makes. */
function ownNodes({ cell }: OldRecord, aliases: readonly TabletAlias[], told: Reading): JsonObject[] {
  return aliases.flatMap((alias): JsonObject[] => {
    if (alias.cell === cell) return [{ tablet_alias: { ...alias } }];
    const text = `${formatTabletAlias(alias)} belongs into the record of its own cell`;
    told.notes.push({ path: told.path, field: 'ReplicationLinks', text });
    return [];
  });
}

/** Of a tablet that is left out, its type says all: the rest goes with it. */
function onlyType(told: Reading): Transcoded['losses'] {
  return told.losses.filter(({ kind }) => kind === 'tablet-type');
}

/** A Tablet is to say the name of its place: Vitess finds it by the one and talks of it by the other. */
function noteAlias({ kind, alias: place }: OldRecord, json: JsonObject, told: Reading): void {
  if (kind !== 'Tablet' || place === undefined) return;
  const alias = aliasIn(json['alias']);
  const own = alias === undefined ? 'none' : formatTabletAlias(alias);
  if (own === place.replace(/\d+$/, (uid) => uid.padStart(10, '0'))) return;
  told.notes.push({ path: told.path, field: 'alias', text: `the record says ${own}, its place ${place}` });
}

function corrupt({ kind, path }: OldRecord, generation: Transcoded['generation'], error: unknown): unknown {
  if (!isTopologyError(error)) return error;
  const of = generation === undefined ? 'either generation' : `generation ${generation}`;
  return new TopologyError(ErrorCode.Corrupt, `not a ${kind} of ${of}: ${error.message}`, {
    path,
    hint: 'mend the record with the tools of its store, or leave it out',
    cause: error,
  });
}
