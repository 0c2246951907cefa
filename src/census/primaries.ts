import { listed } from '../topo/finding.js';
import { type Finding, found } from './finding.js';
import { isItself, type Process, toldBy } from './processes.js';
import type { ClusterRecords, ShardState } from './records.js';

/** Compares the primary of each shard by its records with what the tablets' own pages say. No page tells a term. */
export function judgePrimaries({ shards, cells }: ClusterRecords, processes: readonly Process[]): Finding[] {
  return shards.flatMap((shard) => {
    const own = processes.filter(
      (process) =>
        process.tablet?.keyspace === shard.keyspace &&
        process.tablet.shard === shard.shard &&
        isItself(process),
    );
    return judgeShard(shard, own, cells);
  });
}

function judgeShard(
  { path, primary }: ShardState,
  own: readonly Process[],
  cells: readonly string[],
): Finding[] {
  const where = { scope: 'global', path };
  const live = own.filter((process) => toldBy(process)?.type === 'PRIMARY').map(({ name }) => name);
  if (live.length > 1)
    return [found('two-primaries', where, `${listed(live)} each say that they are the primary`)];
  const named = own.find(({ name }) => name === primary?.alias);
  const type = named === undefined ? undefined : toldBy(named)?.type;
  const elsewhere = live.filter((name) => name !== primary?.alias);
  const byRecord =
    primary === undefined
      ? 'the Shard names none'
      : `the Shard names ${primary.alias}${cells.includes(primary.cell) ? '' : ', in a cell that was not read'}`;
  return [
    ...(primary === undefined || type === undefined || type === 'PRIMARY'
      ? []
      : [
          found(
            'primary-page',
            { ...where, process: primary.alias },
            `the Shard names ${primary.alias}, which says that it is ${type}`,
          ),
        ]),
    ...elsewhere.map((name) =>
      found(
        'primary-elsewhere',
        { ...where, process: name },
        `${name} says that it is the primary, and ${byRecord}`,
      ),
    ),
  ];
}
