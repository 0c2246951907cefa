import { type FindingRow, rowsOf } from '../topo/finding.js';

/**
 * `stop`: something is wrong, do not go on before it is mended; `unknown`: it could not be found out, so it was not checked;
 * `warn`: somebody should look.
 */
export type Severity = 'stop' | 'unknown' | 'warn';

const stop = rowsOf('stop');
const unknown = rowsOf('unknown');
const warn = rowsOf('warn');

const SPLIT_BRAIN = 'the newest term wins, and writes that went to the other one are lost';
const PLANNED = 'look at the tablets, then reparent (PlannedReparentShard)';

/** Everything that can be found: how bad it is, why it matters, what to do. docs/check-cluster.md lists the same. */
export const FINDINGS = {
  'cell-unreachable': stop(
    'its tablets, and what its processes are told, are not known',
    'check the address in CellInfo; where it means something else from here, give --cell-address CELL=SERVER,ROOT',
  ),
  'nobody-asked': unknown('a check of no tablet finds nothing', 'check the address, its root, and --cells'),
  undecodable: stop('Vitess stumbles over such a record', 'repair or remove it'),
  'shard-without-primary': stop(
    'nobody can write to the shard, and a tablet that starts may become its primary',
    'elect a primary (PlannedReparentShard or EmergencyReparentShard)',
  ),
  'primary-record': stop(
    'reparents begin with the tablet that the Shard names, and replicas look for their source there',
    PLANNED,
  ),
  'primary-term': stop('the newer term wins: one of the two records is behind', PLANNED),
  'second-primary-record': stop(
    'a tablet that was the primary did not write that it stepped down',
    'look at the tablet: if it runs as a replica, RefreshState; if it is gone, DeleteTablets',
  ),
  'primary-blank': stop(
    'the primary’s record was emptied by a stop, or overwritten: nobody finds the primary',
    'start the tablet, or reparent to another one',
  ),
  'primary-page': stop('the shard’s record and its live processes disagree', PLANNED),
  'primary-elsewhere': stop('the shard’s record and its live processes disagree', PLANNED),
  'two-primaries': stop(
    SPLIT_BRAIN,
    'stop writes to the shard, make one of them a replica, then compare their data',
  ),
  'tablet-blank': warn(
    'a clean stop leaves such a record; so does a copy that carried one over a filled one, which a running tablet does not mend',
    'if the tablet runs, restart it; if it is gone for good, delete it (DeleteTablets)',
  ),
  'no-web-port': unknown('without a web port the process cannot be asked', 'look at the tablet yourself'),
  'not-in-replication': stop(
    'emergency reparents choose among what ShardReplication names: this tablet is never a candidate',
    'ShardReplicationAdd (vtctldclient), or restart the tablet',
  ),
  'replication-stray': warn(
    'readers skip it, and it hides that a tablet is gone',
    'ShardReplicationFix (vtctldclient)',
  ),
  'graph-stale': stop(
    'gates route by it',
    'topo2topo graph check shows it field by field, graph rebuild mends it',
  ),
  'graph-refused': unknown(
    'a rebuild would be refused, so whether the serving graph is stale cannot be told',
    'topo2topo graph check says what is wrong',
  ),
  'process-silent': unknown(
    'what it is and which store it uses is not known',
    'see that it runs and that its web port is open to this host, then check again',
  ),
  'not-told': unknown('its page does not say what was to be compared', 'look at its /debug/status yourself'),
  'wrong-process': stop(
    'the record leads to another process: its port was taken over, or the record is not this cluster’s',
    'find the process; restart the tablet, or delete its record (DeleteTablets)',
  ),
  'type-differs': stop(
    'reparents and routing trust the record, and the tablet does another job',
    'RefreshState, or restart the tablet',
  ),
  'shard-differs': stop('the record is not this process’s', 'restart the tablet, or delete its record'),
  'store-old': stop(
    'it reads and writes the store that was left: it does not see the changes that others make now',
    'restart it with the new store’s flags',
  ),
  'store-other': stop(
    'it uses a store that is neither the expected nor the old one',
    'see its --topo_… flags; if they are another spelling of the expected store, add it with --expect',
  ),
  'store-unknown': unknown(
    'it may still use the old store',
    'look at its flags, configuration file and connections yourself',
  ),
  'gate-blind': stop(
    'queries that go to the primary fail on this gate',
    'see the gate’s log, its --cells_to_watch and its /debug/status',
  ),
  'gate-errors': stop(
    'the gate cannot read its tablets and keeps the list that it had',
    'see the gate’s log: the store, its address, its rights',
  ),
  'gate-not-told': unknown(
    'its page does not say which tablets it sees',
    'look at the gate’s /debug/status yourself',
  ),
} as const satisfies Readonly<Record<string, FindingRow<Severity>>>;

export type FindingId = keyof typeof FINDINGS;
