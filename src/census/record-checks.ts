import { listed } from '../topo/finding.js';
import { type Finding, found } from './finding.js';
import type { ClusterRecords, ReplicationState, ShardState, TabletState } from './records.js';

/** What the records alone show, before any process is asked. */
export function judgeRecords(records: ClusterRecords): Finding[] {
  const { unreachable, undecodable, shards, tablets, replications } = records;
  const isMember = membersOf(records);
  return [
    ...unreachable.map(({ cell, error }) => found('cell-unreachable', { scope: cell }, error.message)),
    ...undecodable.map(({ problem, ...where }) => found('undecodable', where, problem)),
    ...shards.flatMap((shard) => primaryRecord(shard, records)),
    ...tablets.flatMap((tablet) => tabletRecord(tablet, shards)),
    ...tablets.flatMap((tablet) => membership(tablet, replications)),
    ...replications.flatMap((replication) => strays(replication, isMember)),
    ...graphFindings(records),
  ];
}

function primaryRecord(
  { path, primary, term, keyspace, shard }: ShardState,
  records: ClusterRecords,
): Finding[] {
  const where = { scope: 'global', path };
  if (primary === undefined || !records.cells.includes(primary.cell)) return [];
  const { alias, cell } = primary;
  const tablet = records.tablets.find((each) => each.alias === alias && each.cell === cell);
  if (tablet === undefined) {
    const hidden = records.undecodable.some(
      ({ scope, path: at }) => scope === cell && at === `tablets/${alias}/Tablet`,
    );
    return hidden ? [] : [found('primary-record', where, `it names ${alias}, which has no Tablet record`)];
  }
  const faults = [
    ...(tablet.type === 'PRIMARY' ? [] : [`whose record says ${tablet.type}`]),
    ...(tablet.keyspace === keyspace && tablet.shard === shard
      ? []
      : [`whose record is of ${tablet.keyspace}/${tablet.shard}`]),
  ];
  if (faults.length > 0) return [found('primary-record', where, `it names ${alias}, ${faults.join(', ')}`)];
  if (tablet.term === term) return [];
  return [
    found('primary-term', where, `its term began ${time(term)}, that of ${alias} ${time(tablet.term)}`),
  ];
}

function tabletRecord(tablet: TabletState, shards: readonly ShardState[]): Finding[] {
  const { alias, cell: scope, path, keyspace, shard, type, blank, hostname, webPort } = tablet;
  const where = { scope, path, process: alias };
  const own = shards.find((each) => each.keyspace === keyspace && each.shard === shard);
  const isNamed = own?.primary?.alias === alias;
  return [
    ...(type === 'PRIMARY' && !isNamed
      ? [
          found(
            'second-primary-record',
            where,
            `it says PRIMARY, and ${keyspace}/${shard} names ${own?.primary?.alias ?? 'none'}`,
          ),
        ]
      : []),
    ...(blank
      ? [found(isNamed ? 'primary-blank' : 'tablet-blank', where, 'it has neither host nor ports')]
      : hostname === '' || webPort === undefined
        ? [found('no-web-port', where, `it has no ${hostname === '' ? 'host' : 'port vt'}`)]
        : []),
  ];
}

function membership(
  { alias, cell: scope, path, keyspace, shard }: TabletState,
  replications: readonly ReplicationState[],
): Finding[] {
  const own = replications.find(
    (each) => each.cell === scope && each.keyspace === keyspace && each.shard === shard,
  );
  if (own?.nodes.includes(alias)) return [];
  const place = `ShardReplication of ${keyspace}/${shard} in ${scope}`;
  const what = own === undefined ? `there is no ${place}` : `it is not in the ${place}`;
  return [found('not-in-replication', { scope, path }, what)];
}

function strays({ cell, path, ...own }: ReplicationState, isMember: (node: Node) => boolean): Finding[] {
  const names = own.nodes.filter((alias) => !isMember({ alias, ...own }));
  if (names.length === 0) return [];
  const what = `it names what is no tablet of the shard: ${listed(names)}`;
  return [found('replication-stray', { scope: cell, path }, what)];
}

type Node = Pick<TabletState, 'alias' | 'keyspace' | 'shard'>;

/** Whether a tablet is one of a shard. One whose record does not decode may be. */
function membersOf({ tablets, undecodable }: ClusterRecords): (node: Node) => boolean {
  const keyOf = ({ alias, keyspace, shard }: Node) => [alias, keyspace, shard].join('\0');
  const members = new Set(tablets.map(keyOf));
  const hidden = new Set(undecodable.map(({ path }) => path.split('/')[1]));
  return (node) => members.has(keyOf(node)) || hidden.has(node.alias);
}

function graphFindings({ graph }: ClusterRecords): Finding[] {
  if (graph === undefined) return [];
  const shardPath = (keyspace: string, shard: string) => `keyspaces/${keyspace}/shards/${shard}/Shard`;
  return [
    ...graph.records.flatMap(({ state, cell, path }) =>
      state === 'stale' || state === 'missing'
        ? [
            found(
              'graph-stale',
              { scope: cell, path },
              state === 'stale' ? 'a rebuild would change it' : 'it is missing',
            ),
          ]
        : [],
    ),
    ...graph.lostServing.map(({ keyspace, shard }) =>
      found(
        'graph-stale',
        { scope: 'global', path: shardPath(keyspace, shard) },
        'it serves by served_types alone, and a rebuild would take it out of service',
      ),
    ),
    ...graph.withoutPrimary.map(({ keyspace, shard }) =>
      found(
        'shard-without-primary',
        { scope: 'global', path: shardPath(keyspace, shard) },
        'it serves, and names no primary',
      ),
    ),
    ...graph.refused.map(({ of, error }) =>
      found('graph-refused', { scope: 'global', path: of }, error.message),
    ),
  ];
}

/** Nanoseconds since the epoch, as people read them. */
function time(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return 'never';
  const [seconds, rest] = [nanoseconds / 1_000_000_000n, nanoseconds % 1_000_000_000n];
  const date = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(date.getTime())) return `${seconds} s after 1970`;
  return date.toISOString().replace(/\.000Z$/, `.${String(rest).padStart(9, '0')}Z`);
}
