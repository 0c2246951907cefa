import type { Json, JsonObject } from '../topo/codec-json.js';
import { formatKeyRange } from '../topo/names.js';
import { servedFrom, shardingColumn } from './first-keyspace.js';
import type { FirstObject } from './first-object.js';
import { rangeJson, storedRange } from './first-range.js';
import { typeIn } from './tablet-types.js';

/** A shard in the serving graph. */
interface Served {
  /** Undefined: the entry does not say which one it is. */
  readonly reference: JsonObject | undefined;
  /** What it serves, in numbers; empty: it does not say. */
  readonly types: readonly number[];
}

/**
 * A SrvKeyspace of generation 1, in canonical JSON. Where it has no Partitions, they are made of Shards: each shard serves its ServedTypes, else the
 * types that it has tablets of in the cell, else those that the keyspace has. Entries without name are those of their key range; among
 * shards without one (`known`: the names of the keyspace's shards, undefined: unknown) only a lone one can be told.
 *
 * Fact, read in go/vt/topo/srvshard.go of 2013: a shard without name and range is called 0.
 */
export function readFirstSrvKeyspace(graph: FirstObject, known: readonly string[] | undefined): JsonObject {
  const types = new Set(serving(graph.take('TabletTypes')));
  const shards = graph.objects('Shards').map((shard) => served(shard, known, types));
  const partitions = graph.byType('Partitions', (served_type, value, at): JsonObject => {
    const partition = graph.inside(at, value);
    const references = [
      ...partition.objects('ShardReferences').map((shard) => served(shard, known, types)),
      ...partition.objects('Shards').map((shard) => served(shard, known, types)),
    ];
    partition.rest();
    return { served_type, shard_references: unique(references) };
  });
  const json = {
    partitions: partitions ?? partitionsOf(shards),
    ...shardingColumn(graph),
    served_from: servedFrom(graph),
  };
  graph.rest();
  return json;
}

function served(
  shard: FirstObject,
  known: readonly string[] | undefined,
  ofKeyspace: Iterable<number>,
): Served {
  const name = shard.text('Name');
  const range = storedRange(shard);
  const called =
    name !== ''
      ? name
      : range === undefined
        ? nameWithoutRange(known)
        : nameOfRange(formatKeyRange(range), known);
  const own = shard.types('ServedTypes');
  const tablets = [
    ...serving(shard.take('TabletTypes')),
    ...serving(Object.keys(shard.map('AddrsByType', (value) => value))),
  ];
  const { path, losses } = shard.reading;
  for (const field of ['MasterCell', 'ReadOnly']) shard.derive(field, 'what the shard’s primary is');
  shard.rest();
  if (called === undefined) losses.push({ kind: 'shard-name', path, field: shard.at('Name'), value: name });
  const types = own.length > 0 ? own : tablets.length > 0 ? tablets : [...ofKeyspace];
  if (called === undefined) return { reference: undefined, types };
  const whole = range === undefined && called === '-' ? {} : undefined;
  const key_range = range === undefined ? whole : rangeJson(range);
  return { reference: { name: called, ...(key_range === undefined ? {} : { key_range }) }, types };
}

/** Names of types in the serving graph, as numbers. Others are never served, and unknown ones are nobody's. */
function serving(words: Json | undefined): number[] {
  const numbers = (Array.isArray(words) ? words : []).map((word) => typeIn(word, 'current')?.number ?? 0);
  return [...new Set(numbers.filter((type) => type >= 1 && type <= 3))].sort();
}

/** The one shard that has no range, or all of it. */
function nameWithoutRange(known: readonly string[] | undefined): string | undefined {
  if (known === undefined) return '0';
  const whole = known.filter((name) => name === '-' || !name.includes('-'));
  return whole.length > 1 ? undefined : (whole[0] ?? '0');
}

/** Shards are created with names in any case, and written into the graph in capitals. */
function nameOfRange(range: string, known: readonly string[] | undefined): string {
  return known?.find((name) => name.toLowerCase() === range) ?? range;
}

function partitionsOf(shards: readonly Served[]): JsonObject[] {
  const types = [...new Set(shards.flatMap((shard) => shard.types))].sort();
  return types.map((served_type) => ({
    served_type,
    shard_references: unique(shards.filter((shard) => shard.types.includes(served_type))),
  }));
}

function unique(shards: readonly Served[]): JsonObject[] {
  const byName = new Map(
    shards.flatMap(({ reference }) => (reference === undefined ? [] : [[reference['name'], reference]])),
  );
  return [...byName.values()];
}
