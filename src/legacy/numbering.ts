import { decode } from '../topo/codec.js';
import type { Json, JsonObject } from '../topo/codec-json.js';
import { formatTabletAlias } from '../topo/names.js';
import { aliasIn } from './alias-json.js';
import { isObject } from './json-text.js';
import type { Numbering } from './reading.js';
import { typeIn } from './tablet-types.js';

/** A record as {@link readOld} gives it with the current numbering. */
export interface NumberedRecord {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The records of generation 2 in which numbers of types stand. Those of generation 1 have words, and tell nothing. */
export interface NumberedRecords {
  readonly shards: readonly NumberedRecord[];
  readonly tablets: readonly NumberedRecord[];
  readonly srvKeyspaces: readonly NumberedRecord[];
}

/** What one record tells of the numbering. */
export interface NumberingSign {
  readonly path: string;
  readonly numbering: Numbering;
  /** One sentence without a full stop. */
  readonly reason: string;
}

/** The numbering of a topology. */
export interface NumberingFound {
  /** Undefined: no record tells, or they disagree, and somebody has to say it. */
  readonly numbering: Numbering | undefined;
  readonly signs: readonly NumberingSign[];
}

/**
 * Which numbers of types of tablets a topology has. No record says it, so it is told by what makes sense: a shard's primary is of type 1 now and was of
 * type 2 in 2.0.0-alpha1 to alpha4; 9, 10 and 11 were types only then; what is served is 1, 2 and 3 now and was 2, 3 and 4. All
 * processes of a topology wrote one numbering, so it is told for the whole of it. Corrupt when a record does not decode.
 */
export function findNumbering({ shards, tablets, srvKeyspaces }: NumberedRecords): NumberingFound {
  const decoded = (message: string, records: readonly NumberedRecord[]): Decoded[] =>
    records.map(({ path, bytes }) => ({ path, json: decode(message, bytes).json }));
  const ofShards = decoded('topodata.Shard', shards);
  const primaries = new Set(ofShards.flatMap(({ json }) => aliasText(json['primary_alias'])));
  const signs = [
    ...ofShards.flatMap((shard) => servedSign(shard, typesIn(shard.json['served_types'], 'tablet_type'))),
    ...decoded('topodata.Tablet', tablets).flatMap((tablet) => tabletSign(tablet, primaries)),
    ...decoded('topodata.SrvKeyspace', srvKeyspaces).flatMap((graph) =>
      servedSign(graph, typesIn(graph.json['partitions'], 'served_type')),
    ),
  ];
  const found = new Set(signs.map(({ numbering }) => numbering));
  const [numbering] = found.size === 1 ? found : [];
  return { numbering, signs };
}

interface Decoded {
  readonly path: string;
  readonly json: JsonObject;
}

function tabletSign({ path, json }: Decoded, primaries: ReadonlySet<string>): NumberingSign[] {
  const type = numberOf(json['type']);
  if (type >= 9 && type <= 11) return [sign(path, 'first', `type ${type} has a meaning only there`)];
  const [alias = ''] = aliasText(json['alias']);
  if (primaries.has(alias)) {
    if (type === 1) return [sign(path, 'current', 'the primary of a shard is of type 1')];
    return type === 2 ? [sign(path, 'first', 'the primary of a shard is of type 2')] : [];
  }
  const idle = type === 1 && json['keyspace'] === undefined;
  return idle ? [sign(path, 'first', 'a tablet without keyspace is of type 1, which was idle')] : [];
}

function servedSign({ path }: Decoded, types: readonly number[]): NumberingSign[] {
  const odd = types.find((type) => type >= 9 && type <= 11);
  if (odd !== undefined) return [sign(path, 'first', `type ${odd} has a meaning only there`)];
  const [now, then] = [types.includes(1), types.includes(4)];
  if (now === then) return [];
  return [now ? sign(path, 'current', 'type 1 is served') : sign(path, 'first', 'type 4 is served')];
}

function sign(path: string, numbering: Numbering, reason: string): NumberingSign {
  return { path, numbering, reason };
}

function typesIn(elements: Json | undefined, field: string): number[] {
  return (Array.isArray(elements) ? elements : []).map((each) =>
    numberOf(isObject(each) ? each[field] : undefined),
  );
}

function numberOf(type: Json | undefined): number {
  return typeIn(type ?? 0, 'current')?.number ?? 0;
}

function aliasText(json: Json | undefined): string[] {
  const alias = aliasIn(json);
  return alias === undefined ? [] : [formatTabletAlias(alias)];
}
