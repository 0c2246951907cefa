import { error, note, type Row, warn } from './row.js';

const SERVED =
  'topo2topo edit ADDRESS global:keyspaces/KEYSPACE/shards/SHARD/Shard, then topo2topo graph rebuild ADDRESS KEYSPACE';

/** Findings about keyspaces and shards. */
export const KEYSPACE_ROWS = {
  'keyspace-without-record': warn(
    'there are records below a keyspace, and no Keyspace record',
    'rebuilds of SrvVSchema count it as a keyspace, all else fails over it',
    'delete what is left of it: topo2topo rm ADDRESS keyspaces/KEYSPACE -r, or put back its record: topo2topo put ADDRESS keyspaces/KEYSPACE/Keyspace --json --create',
  ),
  'keyspace-without-shards': note(
    'a keyspace without a single Shard record',
    'nothing is served; the first tablet that starts makes a shard',
    'if it is not needed: topo2topo vtctl ADDRESS DeleteKeyspace KEYSPACE',
  ),
  'keyspace-without-vschema': note(
    'a keyspace without VSchema record',
    'Vitess takes it for an empty, unsharded VSchema; versions from 4 on always write one',
    'topo2topo vtctl ADDRESS ApplyVSchema -vschema_file FILE KEYSPACE',
  ),
  'keyspace-not-serving': warn(
    'a keyspace has shards, and none of them serves',
    'the serving graph of the keyspace is empty: queries fail',
    'topo2topo vtctl ADDRESS SetShardIsPrimaryServing KEYSPACE/SHARD true for those that are to serve, then topo2topo graph rebuild ADDRESS KEYSPACE',
    `say in served_types what is to serve: ${SERVED}`,
  ),
  'base-keyspace-gone': warn(
    'a snapshot keyspace names a base keyspace that does not exist',
    'its tablets restore from the backups of the base keyspace',
    'if the snapshot is not needed: topo2topo vtctl ADDRESS DeleteKeyspace -recursive KEYSPACE',
  ),
  'served-from-gone': warn(
    'served_froms names a keyspace that does not exist',
    'queries to the keyspace are sent to one that nobody serves',
    'topo2topo edit ADDRESS SCOPE:PATH',
  ),
  'key-range-gap': error(
    'the shards of a keyspace that serve leave a gap (note: a snapshot keyspace)',
    'rows in the gap are in no shard, and Vitess refuses to rebuild the keyspace',
    'find the shard that should serve: topo2topo vtctl ADDRESS SetShardIsPrimaryServing KEYSPACE/SHARD true, then topo2topo graph rebuild ADDRESS KEYSPACE',
    `find the shard that should serve, and say it in its served_types: ${SERVED}`,
  ),
  'key-range-overlap': error(
    'two shards that serve hold the same key ranges',
    'a row would be in two shards, and Vitess refuses to rebuild the keyspace',
    'find the shard that should not serve: topo2topo vtctl ADDRESS SetShardIsPrimaryServing KEYSPACE/SHARD false, then topo2topo graph rebuild ADDRESS KEYSPACE',
    `find the shard that should not serve, and take its served_types out: ${SERVED}`,
  ),
  'key-range-empty': error(
    'a key range that holds nothing: its start does not lie below its end',
    'no row is ever in it',
    'topo2topo edit ADDRESS SCOPE:PATH',
  ),
  'shard-key-range': error(
    'the key range of a shard is not that of its name',
    'Vitess routes by the range, and its tools and tablets go by the name',
    'topo2topo edit ADDRESS SCOPE:PATH',
  ),
  'shard-upper-case': warn(
    'a shard’s name has upper-case digits',
    'tablets look for the lower-case name, and make another shard of it',
    'move its tablets to the shard with the lower-case name, then topo2topo vtctl ADDRESS DeleteShard KEYSPACE/SHARD',
  ),
  'serving-lost': error(
    'a shard serves by its served_types, as Vitess 3 and older wrote them, and has no is_primary_serving',
    'Vitess 12 and newer takes it for not serving: the next rebuild takes it out of service',
    'topo2topo vtctl ADDRESS SetShardIsPrimaryServing KEYSPACE/SHARD true',
    'say it when the topology is copied: topo2topo copy … --serving KEYSPACE/SHARD=yes',
  ),
  'shard-without-primary': warn(
    'a shard has no primary (note: it does not serve; snapshot keyspaces have none)',
    'nobody can write to the shard, and a tablet that starts may become its primary',
    'vtctldclient PlannedReparentShard KEYSPACE/SHARD --new-primary TABLET, or delete the shard if it was never used',
    'name its primary: topo2topo edit ADDRESS SCOPE:PATH, or delete the shard if it was never used',
  ),
  'source-shard-gone': warn(
    'a shard is to be filled from one that does not exist',
    'its replication waits for ever',
    'topo2topo edit ADDRESS SCOPE:PATH',
  ),
  'control-unknown-cell': warn(
    'tablet_controls or served_types name a cell that does not exist',
    'they are compared with cells’ names word for word: in that cell nothing is controlled',
    'topo2topo edit ADDRESS SCOPE:PATH',
  ),
} as const satisfies Readonly<Record<string, Row>>;
