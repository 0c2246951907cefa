import { createHash } from 'node:crypto';
import { aliasIn } from '../../legacy/alias-json.js';
import type { Link } from '../../legacy/first-replication.js';
import { readOld } from '../../legacy/read.js';
import { linksIn, shardReplication } from '../../legacy/replication.js';
import { toldOf } from '../../legacy/transcoder.js';
import { decode } from '../../topo/codec.js';
import type { CallOptions } from '../../topo/connection.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../../topo/errors.js';
import type { TabletAlias } from '../../topo/names.js';
import type { RecordTold, Transcoded } from '../../topo/told.js';
import { generationOf } from './generation.js';
import type { GlobalShard } from './global.js';
import type { LegacyStore } from './legacy-store.js';
import type { OtherReplication, OtherReplications } from './other-cells.js';
import type { Own, RecordPlace } from './own.js';
import { Places } from './places.js';
import { type Made, readOwn } from './read.js';

const NOTHING = new Uint8Array();

/** Where other stores say which tablets of a cell a shard has. */
interface Elsewhere {
  readonly shard: GlobalShard | undefined;
  readonly others: OtherReplications | undefined;
}

/**
 * ShardReplication of a cell. Where generation 1 has left anything of the shard it is made of the Shard's primary, the nodes nested below it, and
 * the links of all cells, as far as they name tablets of this one. Where a cell's cannot be read, it is unreadable: it may lack tablets.
 */
export async function joinedReplication(
  legacy: LegacyStore,
  place: RecordPlace,
  own: Own | undefined,
  { shard, others }: Elsewhere,
  options: CallOptions | undefined,
): Promise<Made | undefined> {
  const { cell = '' } = legacy.places;
  const alone = own && (await readOwn(legacy, place, own, undefined, options));
  if (alone?.told?.unreadable !== undefined) return alone;
  const { keyspace = '' } = place;
  const nested = shard?.nested ?? [];
  const { generation, primary } = firstOf(shard);
  const elsewhere = linksElsewhere(others?.found.get(`${keyspace}/${place.shard}`) ?? []);
  const missing = others?.missing?.about(place.path);
  const ofOwn = own?.bytes ?? NOTHING;
  const isFirst = generation === 1 || nested.length > 0 || elsewhere.isFirst;
  if (!isFirst && (own === undefined || generationOf(place, ofOwn) !== 1))
    return missing === undefined ? alone : noted(alone, missing);
  if (shard === undefined) return alone;
  const { losses = [], derived = [] } = alone?.told ?? {};
  const znode = legacy.places.znode(legacy.places.native(place.path));
  const ofShard = Places.global.znode(`keyspaces/${keyspace}/shards/${place.shard}`);
  const of = [...(own === undefined ? [] : [znode]), ofShard, ...elsewhere.of];
  const token = [own?.token, shard.own?.token, digest(nested), ...elsewhere.tokens].join('+');
  if (missing !== undefined) {
    const told = { losses, derived, notes: [], unreadable: missing };
    return { bytes: ofOwn, told, token: `${token}+missing`, of };
  }
  const links = [...(own === undefined ? [] : linksIn(place, ofOwn)), ...elsewhere.links];
  const graph = shardReplication({ keyspace, shard: place.shard ?? '', primary, links, nested });
  const bytes = graph.records.get(cell);
  const cells = [...graph.records.keys()].filter((each) => each !== cell);
  if (bytes === undefined) return alone;
  if (alone?.bytes !== undefined && sameBytes(alone.bytes, bytes))
    return { ...alone, told: withCells(alone.told, cells) };
  return { bytes, told: withCells(toldOf({ losses, derived, notes: graph.notes }), cells), token, of };
}

function withCells(told: RecordTold | undefined, cells: readonly string[]): RecordTold | undefined {
  if (cells.length === 0) return told;
  return { losses: [], derived: [], notes: [], ...told, cells };
}

/** What the other cells say of a shard. */
interface LinksElsewhere {
  readonly links: readonly Link[];
  /** Whether one of them is of generation 1. */
  readonly isFirst: boolean;
  readonly tokens: readonly string[];
  readonly of: readonly string[];
}

/** One that is in neither form is told of in its own cell, and hides no other. */
function linksElsewhere(found: readonly OtherReplication[]): LinksElsewhere {
  return {
    links: found.flatMap(({ place, own }) => {
      try {
        return linksIn(place, own.bytes);
      } catch (error) {
        if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
        return [];
      }
    }),
    isFirst: found.some(({ place, own }) => generationOf(place, own.bytes) === 1),
    tokens: found.map(({ own }) => own.token),
    of: found.map(({ znode }) => znode),
  };
}

/** A record of generation 2, which other cells may hold something of generation 1 about. */
function noted(alone: Made | undefined, missing: TopologyError): Made | undefined {
  if (alone === undefined) return undefined;
  const { losses = [], derived = [], notes = [] } = alone.told ?? {};
  const note = { path: missing.path ?? '', field: '', text: missing.message };
  return { ...alone, told: { losses, derived, notes: [...notes, note] } };
}

/** What a Shard says of its replication graph; nothing where it cannot be read. */
function firstOf(shard: GlobalShard | undefined): {
  readonly generation?: Transcoded['generation'];
  readonly primary?: TabletAlias | undefined;
} {
  const place = Places.global.place(`keyspaces/${shard?.keyspace}/shards/${shard?.shard}`);
  if (place.is !== 'record' || shard?.own === undefined) return {};
  try {
    const read = readOld(place, shard.own.bytes, { numbering: 'current' });
    const json = read.bytes === undefined ? {} : decode('topodata.Shard', read.bytes).json;
    return { generation: read.generation, primary: aliasIn(json['primary_alias']) };
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    return {};
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function digest(nested: GlobalShard['nested']): string {
  const text = nested.map((aliases) => aliases.join('/')).join('\n');
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
