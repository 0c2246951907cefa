import { type FindingRow, rowsOf } from '../../topo/finding.js';

/** `stop`: a migration must not start; `warn`: it may, and somebody should look first; `note`: good to know. */
export type Severity = 'stop' | 'warn' | 'note';

const stop = rowsOf('stop');
const warn = rowsOf('warn');
const note = rowsOf('note');

const COPY_STOPS = 'the copy would stop here';

/** Everything that can be found: how bad it is, why it matters, what to do. docs/doctor.md lists the same. */
export const DIAGNOSES = {
  unreachable: stop(
    'nothing is known of a store that does not answer',
    'check addresses, ports and TLS; if the recorded address means something else from this host, give it with --from-cell or --to-cell',
  ),
  refused: stop(
    'what may not be read would be missing from the copy, or looks as if it were deleted',
    'give the login that Vitess uses, with the right to read everything below the root',
  ),
  'no-leader': stop(
    'without a leader nothing can be written, and no lock taken',
    'bring up enough members for a quorum',
  ),
  'server-down': warn(
    'clients that try it first are slow, and one failure more may stop the store',
    'start it, or take it out of the addresses',
  ),
  'no-spare': warn(
    'the next failure stops the store, and a migration puts load on it',
    'bring all members up before you begin',
  ),
  'single-server': note('a store of one server stops with it', 'use three or five in production'),
  'few-servers-named': note(
    'what the address does not name is not tried when those that it names are gone',
    'name all members in the address',
  ),
  'not-told': note('what is not known was not checked', 'allow this tool to ask, or look yourself'),
  'clock-off': warn(
    'times of locks and of primaries’ terms are compared, and the newest term wins',
    'set the clocks right (NTP) before you begin',
  ),
  'versions-mixed': warn(
    'servers of several versions stand in the middle of an upgrade',
    'finish the upgrade first',
  ),
  'version-untested': warn(
    'this tool is tested with ZooKeeper 3.4 to 3.9, etcd 3.3 to 3.5 and Consul 1.8',
    'try the whole migration in a test environment first',
  ),
  'version-slow': note(
    'before ZooKeeper 3.6 records are read one request each',
    'plan for a longer copy and freeze',
  ),
  alarm: stop(
    'etcd refuses writes while NOSPACE is raised, and answers of a member with CORRUPT cannot be trusted',
    'NOSPACE: compact, defragment, then etcdctl alarm disarm; CORRUPT: replace the member',
  ),
  'quota-short': stop(
    'the copy would fill the database, and etcd then refuses all writes, Vitess’s too',
    'raise --quota-backend-bytes, or compact and defragment',
  ),
  'quota-near': warn(
    'etcd refuses all writes once its quota is used up',
    'raise --quota-backend-bytes, or compact and defragment',
  ),
  'address-this-host': warn(
    'every process takes it for its own host: from another one it is another store, or none',
    'check that each host of the cell has that server; to read it from here, give --from-cell CELL=SERVER,ROOT',
  ),
  'address-short-name': warn(
    'a name without dots depends on each host’s search domain',
    'check that it means the same on every host (doctor --from-here in each cell), or write the full name',
  ),
  'no-cells': stop(
    'a topology has cells; without them this is not the right root',
    'check the source’s server and root',
  ),
  'unknown-cell': stop(COPY_STOPS, 'name cells of the source'),
  'cell-without-destination': stop(
    'the copy must know where each cell goes, and writes it to CellInfo',
    'give --to-cell CELL=SERVER,ROOT or --to-cell-root',
  ),
  'cell-in-source': stop(
    'who follows that CellInfo goes on using the old store',
    'give the cell its new place',
  ),
  'same-place': stop('such a copy would write over its own source', 'give two different places'),
  layout: stop(
    'one part of the topology would be read as a piece of another',
    'give each part a root of its own',
  ),
  'cell-unusable': stop(
    'a cell that cannot be found cannot be copied',
    'repair its CellInfo, or give its address',
  ),
  'cannot-write': stop(
    'the copy could not write either',
    'give a login with the right to write below the root',
  ),
  'cannot-lock': stop(
    'Vitess and this tool need locks in the destination',
    'give a login with the right to lock: etcd leases, Consul session:write, ZooKeeper create and delete',
  ),
  journal: stop(
    'the copy notes there what it writes, and does not begin without',
    'make the folder, give the right to write to it, or name another one with --journal',
  ),
  'probe-left': warn('what was tried could not be cleaned up', 'delete topo2topo/doctor there'),
  'probe-skipped': note(
    'whether the destination can be written to and locked was not tried',
    'leave out --skip-probe to try it on a record topo2topo/doctor, which is deleted again',
  ),
  'source-not-lockable': warn(
    'a copy does not need it, but copy --freeze locks the source',
    'for a freeze give a login with the right to write and lock below the root, as Vitess’s own has',
  ),
  'source-not-probed': note(
    'whether the source can be locked, as copy --freeze does, was not tried',
    'add --probe-source to try it on a record topo2topo/doctor, which is deleted again',
  ),
  'lock-held': stop(
    'somebody is changing what the lock protects',
    'wait until it is given back; topo2topo locks list shows it',
  ),
  'operation-running': stop(
    'a copy in the middle of it takes half of it over',
    'wait until it is done, and start no other',
  ),
  'named-lock': stop(
    'a workflow is switching traffic, or its vtctld died (on etcd such a lock stays for up to 24 hours)',
    'wait until the switch is done; if nobody is switching, break the lock: topo2topo locks break',
  ),
  'lock-orphan': stop(
    'it belongs to no session and stays until somebody deletes it; meanwhile nobody gets the lock: no failover',
    'make sure that its holder is gone, then topo2topo locks break',
  ),
  'lock-left-over': warn(
    'Vitess’s try-lock, as VTOrc uses it, takes the empty directory for a held lock: no failover',
    'topo2topo locks break removes it, locks break --left-over all of them',
  ),
  sealed: stop(
    'the store refuses everybody’s writes: tablets, failovers, and this tool’s own',
    'wait until the freeze is over; if whoever sealed is gone, topo2topo unseal gives everybody his rights back',
  ),
  frozen: stop(
    'a migration of the old kind is past the point of no return',
    'finish it, or cancel it, before the topology moves',
  ),
  'denied-tables': warn(
    'a MoveTables or Reshard is between its switches',
    'complete or cancel the workflow first',
  ),
  'source-shards': warn('the shard is still filled from others', 'complete or cancel the workflow first'),
  'query-service-disabled': warn(
    'a resharding is between its switches, or was left half-done',
    'complete or cancel it first; topo2topo graph check says what a rebuild would change',
  ),
  'shard-not-serving': warn(
    'new or old shards of a resharding are there',
    'complete or cancel it first; delete old shards',
  ),
  'workflow-record': warn(
    'a workflow of the old workflow manager is recorded',
    'make sure that it is not running',
  ),
  'shard-without-primary': warn(
    'nobody can write to the shard, and a tablet that starts may become its primary',
    'elect a primary first, or delete the shard if it was never used',
  ),
  'lease-ttl': warn(
    'on etcd a lock dies 30 s after the last check; a reparent may take longer',
    'give --to-topo-etcd-lease-ttl 120s or more, and all of Vitess’s processes --topo_etcd_lease_ttl of the same',
  ),
  'sidecar-db-name': warn(
    'a vttablet of Vitess 17 or newer that finds it missing takes the keyspace’s lock at its start to fill it',
    'let it be filled on the old store first: a vttablet of Vitess 17 or newer that starts there does it, or topo2topo edit',
  ),
  'destination-holds': note(
    'what is there and equal is left alone; cells, and records that are rebuilt, may be there',
    'make sure that it is this cluster’s: plan shows what would change',
  ),
  estimate: note('a freeze has to fit into it', 'measure the real thing with plan, then with a second copy'),
  'plan-refused': stop(COPY_STOPS, 'see what was found'),
  'empty-cells': stop(
    'a wrong address or a missing right looks like an empty cell',
    'check the cell’s address',
  ),
  hidden: stop(
    'what may not be read would be missing from the copy, and looks as if it had been deleted',
    'give a login that may read everything below the root',
  ),
  shrunk: stop('a store that shows less than it holds looks like this', 'check the source'),
  'other-cell': stop(
    'the cell’s address leads to another cell’s store: a copy would mix them',
    'check the cells’ addresses: localhost is another store on every host',
  ),
  'cannot-hold': stop(
    COPY_STOPS,
    'choose another kind of store, or raise ZooKeeper’s jute.maxbuffer and say so with --to-topo-zk-jute-maxbuffer',
  ),
  loss: stop(
    'a value has no place in the form in which the other store keeps records',
    'look at them with plan; accept their kinds with --accept-loss',
  ),
  unreadable: stop(
    'what is in no form that is known would be missing from the copy',
    'mend it with the tools of its store, or leave it behind with --skip-unreadable',
  ),
  serving: stop(
    'Vitess 12 and newer takes a shard without the flag for not serving, and its records do not tell',
    'say it for each shard: --serving KEYSPACE/SHARD=yes, or =no',
  ),
  transcoded: note(
    'one of the stores keeps records in the JSON of a retired format',
    'plan shows what becomes of each record; docs/legacy.md has the tables',
  ),
  undecodable: stop('Vitess stumbles over such a record', 'repair or remove it'),
  leased: stop('it would go away by itself', 'remove it from the destination'),
  foreign: stop('somebody else writes to the destination', 'find out who does'),
  older: stop('the cluster moved on already: copying would take it back', 'find out which side is in use'),
  extra: stop('another topology may live there', 'look at them'),
  'primary-deleted': stop('a shard would lose its primary', 'repair the source'),
  'not-copied': stop(
    'CellInfo is the commit: a vttablet that starts on what is not wholly there invents the rest',
    'copy the other parts first, the global one last',
  ),
  deletions: stop('more would be deleted than is allowed', 'look at them with plan'),
  'cell-cut-off': stop(
    'processes of that cell could not reach the store at all',
    'open the network, or name servers that the cell can reach',
  ),
  'server-cut-off': warn(
    'processes of that cell have fewer servers to go to',
    'open the network, or leave the server out',
  ),
  'cell-not-dialled': warn(
    'whether its processes reach the stores is not known',
    'run doctor --from-here in it, and give its answer with --matrix',
  ),
} as const satisfies Readonly<Record<string, FindingRow<Severity>>>;

export type DiagnosisId = keyof typeof DIAGNOSES;
