import { list, object, text } from '../editing/ranges.js';
import { isAtLeast, type Target } from '../graph/target.js';
import { listed } from '../topo/finding.js';
import { coverOf } from './cover.js';
import { found, type LintFinding } from './finding.js';
import type { KnownKeyspace, KnownShard, World } from './world.js';

/** What is wrong with keyspaces as a whole: their records, and how their shards share the key ranges. */
export function* keyspaces(world: World, target: Target): Generator<LintFinding> {
  for (const keyspace of world.keyspaces.values()) {
    yield* records(keyspace);
    yield* references(keyspace, world, target);
    yield* ranges(keyspace, target);
  }
}

function* records({ name, hasRecord, hasVSchema, shards }: KnownKeyspace): Generator<LintFinding> {
  const where = { path: `keyspaces/${name}/Keyspace`, keyspace: name };
  if (!hasRecord) {
    const left = [
      ...(hasVSchema ? ['a VSchema'] : []),
      ...[...shards.keys()].map((shard) => `shard ${shard}`),
    ];
    yield found('keyspace-without-record', where, `there is no such record, but ${listed(left)}`);
    return;
  }
  if (shards.size === 0) yield found('keyspace-without-shards', where, 'the keyspace has no shard');
  if (!hasVSchema)
    yield found(
      'keyspace-without-vschema',
      { ...where, path: `keyspaces/${name}/VSchema` },
      'there is no such record',
    );
}

function* references({ name, json }: KnownKeyspace, world: World, target: Target): Generator<LintFinding> {
  if (json === undefined) return;
  const where = { path: `keyspaces/${name}/Keyspace`, keyspace: name };
  const isGone = (other: string) => world.keyspaces.get(other)?.hasRecord !== true;
  const base = text(json['base_keyspace']);
  if (isSnapshot(json) && isGone(base))
    yield found('base-keyspace-gone', where, `the base keyspace ${base || '(none)'} does not exist`);
  if (isAtLeast(target, 19)) return;
  const gone = list(json['served_froms'])
    .map((served) => text(object(served)['keyspace']))
    .filter(isGone);
  if (gone.length > 0)
    yield found('served-from-gone', where, `served_froms names ${listed([...new Set(gone)])}`);
}

function* ranges({ name, json, shards }: KnownKeyspace, target: Target): Generator<LintFinding> {
  const all = [...shards.values()];
  // What is not read may be what is missing.
  if (all.length === 0 || all.some(({ isRead }) => !isRead)) return;
  const where = { path: `keyspaces/${name}`, keyspace: name };
  // A shard that only old versions let serve is told by itself: it is to serve.
  const serving = all.filter((shard) => serves(shard, target) || shard.servedOnce);
  if (serving.length === 0) {
    yield found('keyspace-not-serving', where, `none of ${shardsText(all)} serves`);
    return;
  }
  const { gaps, overlaps } = coverOf(serving);
  if (gaps.length > 0) {
    const severity = isSnapshot(json) ? 'note' : undefined;
    yield found('key-range-gap', where, `no shard that serves holds ${listed(gaps)}`, severity);
  }
  if (overlaps.length > 0) {
    const pairs = overlaps.map((pair) => pair.join(' and '));
    yield found('key-range-overlap', where, `these overlap: ${listed(pairs)}`);
  }
}

/** Whether a version of Vitess takes a shard into the serving graph. */
export function serves({ isServing, servedOnce }: KnownShard, target: Target): boolean {
  return isServing || (servedOnce && !isAtLeast(target, 12));
}

/** Whether a keyspace is restored from a backup, for looking. */
export function isSnapshot(json: KnownKeyspace['json']): boolean {
  return json?.['keyspace_type'] === 'SNAPSHOT';
}

function shardsText(shards: readonly KnownShard[]): string {
  return `the shards ${listed(shards.map(({ name }) => name))}`;
}
