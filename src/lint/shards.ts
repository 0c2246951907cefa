import { isAtLeast, type Target } from '../graph/target.js';
import { listed } from '../topo/finding.js';
import { found, type LintFinding } from './finding.js';
import { isSnapshot, serves } from './keyspaces.js';
import { type KnownKeyspace, type KnownShard, shardPath, type World } from './world.js';

/** What is wrong with single shards, by what the global store says. */
export function* shards(world: World, target: Target): Generator<LintFinding> {
  for (const keyspace of world.keyspaces.values())
    for (const shard of keyspace.shards.values())
      if (shard.isRead) yield* ofShard(shard, keyspace, world, target);
}

function* ofShard(
  shard: KnownShard,
  keyspace: KnownKeyspace,
  world: World,
  target: Target,
): Generator<LintFinding> {
  const { name, sources, namedCells, hasPrimary, primary, primaryCell, isServing, servedOnce } = shard;
  const where = { path: shardPath(shard), keyspace: keyspace.name, shard: name };
  if (name.includes('-') && name !== name.toLowerCase())
    yield found('shard-upper-case', where, `tablets look for the shard ${name.toLowerCase()}`);
  if (servedOnce && !isServing && isAtLeast(target, 12))
    yield found('serving-lost', where, 'served_types has PRIMARY, and is_primary_serving is not set');
  if (!hasPrimary) {
    if (!isSnapshot(keyspace.json)) {
      const isOff = !serves(shard, target) && !servedOnce;
      yield found('shard-without-primary', where, 'the shard has no primary', isOff ? 'note' : 'warn');
    }
  } else if (primary !== undefined && primaryCell !== undefined && !world.cells.has(primaryCell)) {
    const what = `the primary is ${primary}, and there is no cell ${primaryCell || '(none)'}`;
    yield found('primary-unknown-cell', { ...where, tablet: primary }, what);
  }
  const gone = sources.filter((source) => {
    const [of = '', ...rest] = source.split('/');
    return world.keyspaces.get(of)?.shards.has(rest.join('/')) !== true;
  });
  if (gone.length > 0) yield found('source-shard-gone', where, `there is no shard ${listed(gone)}`);
  const unknown = [...new Set(namedCells)].filter((cell) => !world.cells.has(cell));
  if (unknown.length > 0) {
    const cells = unknown.map((cell) => (world.aliases.has(cell) ? `${cell}, which is an alias` : cell));
    yield found('control-unknown-cell', where, `there is no cell ${listed(cells)}`);
  }
}
