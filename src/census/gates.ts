import { listed } from '../topo/finding.js';
import { type Finding, found } from './finding.js';
import type { Told } from './page.js';
import { type Process, toldBy } from './processes.js';
import type { ClusterRecords, ShardState } from './records.js';

/** Whether each gate sees a primary of every shard that serves and has one. */
export function judgeGates({ shards, aliases }: ClusterRecords, processes: readonly Process[]): Finding[] {
  return processes.flatMap((process) => {
    const told = toldBy(process);
    if (told === undefined || !isGate(process, told)) return [];
    const where = { process: process.name };
    const { connections, filtersTablets } = told;
    if (connections === undefined)
      return [found('gate-not-told', where, 'its page has no HealthcheckConnections')];
    if (filtersTablets) return [found('gate-not-told', where, 'its --tablet_filters narrow what it sees')];
    const cells = told.cellsToWatch?.flatMap((name) => [name, ...(aliases.get(name) ?? [])]);
    const unseen = shards.filter((shard) => isWatched(shard, told, cells) && !sees(connections, shard));
    if (unseen.length === 0) return [];
    const names = unseen.map(({ keyspace, shard }) => `${keyspace}/${shard}`);
    return [found('gate-blind', where, `it sees no serving primary of ${listed(names)}`)];
  });
}

/** Whether a gate failed to read tablets between two samples. A counter that fell belongs to a process that was restarted. */
export function judgeErrors(before: readonly Process[], after: readonly Process[]): Finding[] {
  return after.flatMap((process) => {
    const earlier = before.find(({ name }) => name === process.name);
    const first = earlier === undefined ? undefined : toldBy(earlier)?.watcherErrors;
    const risen = [...(toldBy(process)?.watcherErrors ?? [])].flatMap(([operation, count]) => {
      const more = first === undefined ? 0 : count - (first.get(operation) ?? 0);
      return more > 0 ? [`${operation} ${more} times`] : [];
    });
    return risen.length === 0
      ? []
      : [found('gate-errors', { process: process.name }, `between two looks failed: ${listed(risen)}`)];
  });
}

function isGate({ from }: Process, { program }: Told): boolean {
  return from === 'listed' && /^(l2)?vtgate/.test(program ?? '');
}

/** A gate sees the tablets of the cells that it watches alone. */
function isWatched(
  { keyspace, primary, serving }: ShardState,
  { keyspacesToWatch }: Told,
  cells: readonly string[] | undefined,
): boolean {
  return (
    serving &&
    primary !== undefined &&
    (keyspacesToWatch?.includes(keyspace) ?? true) &&
    (cells?.includes(primary.cell) ?? true)
  );
}

function sees(connections: ReadonlyMap<string, number>, { keyspace, shard }: ShardState): boolean {
  return ['primary', 'master'].some((type) => (connections.get(`${keyspace}.${shard}.${type}`) ?? 0) > 0);
}
