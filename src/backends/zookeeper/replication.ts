import { createHash } from 'node:crypto';
import { aliasIn } from '../../legacy/alias-json.js';
import { readOld } from '../../legacy/read.js';
import { linksIn, shardReplication } from '../../legacy/replication.js';
import { toldOf } from '../../legacy/transcoder.js';
import { decode } from '../../topo/codec.js';
import type { CallOptions } from '../../topo/connection.js';
import { isTopologyError } from '../../topo/errors.js';
import type { TabletAlias } from '../../topo/names.js';
import type { Transcoded } from '../../topo/told.js';
import { generationOf } from './generation.js';
import type { GlobalShard } from './global.js';
import type { LegacyStore } from './legacy-store.js';
import type { Own, RecordPlace } from './own.js';
import { Places } from './places.js';
import { type Made, readOwn } from './read.js';

const NOTHING = new Uint8Array();

/**
 * ShardReplication of a cell. Where generation 1 has left anything of the shard it is made of the Shard's primary and the nodes nested below it,
 * too, as far as they are of this cell.
 */
export async function joinedReplication(
  legacy: LegacyStore,
  place: RecordPlace,
  own: Own | undefined,
  shard: GlobalShard | undefined,
  options: CallOptions | undefined,
): Promise<Made | undefined> {
  const { cell = '' } = legacy.places;
  const alone = own && (await readOwn(legacy, place, own, undefined, options));
  if (alone?.told?.unreadable !== undefined) return alone;
  const { generation, primary } = firstOf(shard);
  const nested = shard?.nested ?? [];
  const ofOwn = own?.bytes ?? NOTHING;
  const links = own === undefined ? [] : linksIn(place, ofOwn);
  const isFirst = generation === 1 || nested.length > 0;
  if (!isFirst && (own === undefined || generationOf(place, ofOwn) !== 1)) return alone;
  const { keyspace = '' } = place;
  const graph = shardReplication({ keyspace, shard: place.shard ?? '', primary, links, nested });
  const bytes = graph.records.get(cell);
  if (bytes === undefined || shard === undefined) return alone;
  if (alone?.bytes !== undefined && sameBytes(alone.bytes, bytes)) return alone;
  const { losses = [], derived = [] } = alone?.told ?? {};
  const znode = legacy.places.znode(legacy.places.native(place.path));
  const ofShard = Places.global.znode(`keyspaces/${keyspace}/shards/${place.shard}`);
  return {
    bytes,
    told: toldOf({ losses, derived, notes: graph.notes }),
    token: [own?.token, shard.own?.token, digest(nested)].join('+'),
    of: own === undefined ? [ofShard] : [znode, ofShard],
  };
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
