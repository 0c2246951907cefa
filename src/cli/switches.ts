import { usage } from './flags.js';

/** Vitess's flag for reads from Consul that may be behind, which are never made here. */
export const ALLOW_STALE_READS = 'topo-consul-allow-stale-reads';

const STALE_READS = 'accepted for Vitess’s sake, without effect';

/** Boolean flags that mean the same wherever they are. A command may declare others of its own. */
export const SWITCHES = {
  'dry-run': 'show the plan, write nothing',
  verify: 'compare both sides afterwards',
  'allow-empty-cells': 'accept cells whose store holds nothing',
  'allow-extra': 'accept records that only the destination has; they are left alone',
  'allow-older': 'write a shard over one whose primary is of a later term',
  'allow-shrunk': 'accept a source that holds much less than at the last run',
  'allow-undecodable': 'copy records that do not decode, byte for byte',
  'allow-locks': 'copy while locks are held in the source',
  'allow-other-cell': 'accept tablets of another cell in a cell’s store',
  'allow-cell-in-source': 'accept a CellInfo of the destination that leads into the source',
  'allow-same-place': 'copy although source and destination look like one place',
  'skip-probe': 'write nothing at all: do not try whether the destination takes writes and locks',
  'probe-source': 'try whether the source takes writes and locks, too, as a freeze needs it',
  delete: 'delete what only the destination has, up to --max-delete records',
  'until-equal': 'end as soon as a complete pass has nothing to write',
  freeze: 'at the end lock the whole source, copy what differs, compare, and see that nothing moved',
  resume: 'go on with the interrupted copy of --journal',
  'do-keyspaces': 'narrow to Keyspace and VSchema',
  'do-shards': 'narrow to Shard',
  'do-shard-replications': 'narrow to ShardReplication',
  'do-tablets': 'narrow to Tablet',
  'do-routing-rules': 'narrow to RoutingRules',
  compare: 'compare instead of copying',
  long: 'say what each name is: d directory, e ephemeral, bytes, version',
  l: 'the same as --long, in grep as --files-with-matches',
  directory: 'a directory itself, and not what is in it',
  d: 'the same as --directory',
  recursive: 'all directories below, too',
  R: 'the same as --recursive',
  raw: 'the stored bytes, unchanged',
  'decode-proto': 'protobuf’s text format in one line, as Vitess’s TopoCat prints it',
  'decode-proto-json': 'JSON in one line, an array, as TopoCat prints it',
  'data-as-json': 'JSON, as Vitess’s GetTopologyPath --data-as-json prints it',
  'topology-cell': 'what Vitess’s GetTopologyPath answers with, a directory too',
  'unknown-fields': 'with one of these forms: also the fields that the schema does not know',
  ephemeral: 'only what a session or lease owns',
  empty: 'only records of no bytes',
  'ignore-case': 'take capital and small letters for the same',
  i: 'the same as --ignore-case',
  'files-with-matches': 'print each record once, and no fields',
  count: 'print the number of matches of each record that has any',
  c: 'the same as --count',
  native: 'the store as it is: its own absolute paths and its own words; PATH is one of those',
  try: 'fail at once when somebody holds the lock or waits for it',
  yes: 'do it, and not only show what would be done',
  'left-over': 'remove every empty directory for locks, which ZooKeeper keeps of a holder that was killed',
  'even-if-alive': 'also break a lock whose session or lease is alive',
  logtostderr: 'of Vitess’s log; ignored',
  alsologtostderr: 'of Vitess’s log; ignored',
  'log-err-stacks': 'of Vitess’s log; ignored',
  'grpc-enable-tracing': 'of Vitess’s servers; ignored',
  'grpc-prometheus': 'of Vitess’s servers; ignored',
  'pprof-http': 'of Vitess’s servers; ignored',
  [ALLOW_STALE_READS]: STALE_READS,
  [`from-${ALLOW_STALE_READS}` as const]: STALE_READS,
  [`to-${ALLOW_STALE_READS}` as const]: STALE_READS,
  help: 'show help',
  version: 'show the version',
} as const;
export type SwitchName = keyof typeof SWITCHES;

/** The spellings of Go's strconv.ParseBool. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/** A boolean as Go programs take it. Usage for any other text; `named` says whose it is. */
export function parseBoolean(text: string, named: string): boolean {
  const found = BOOLEANS.get(text);
  if (found === undefined) throw usage(`${named} is true or false, and nothing else`);
  return found;
}
