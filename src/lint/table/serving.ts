import { error, type Row, warn } from './row.js';

const REBUILD = 'topo2topo graph rebuild ADDRESS KEYSPACE';
const REBUILD_VSCHEMA = 'topo2topo graph rebuild ADDRESS --vschema';

/** Findings about the serving graph. */
export const SERVING_ROWS = {
  'graph-stale': warn(
    'a SrvKeyspace or SrvVSchema is not what a rebuild would make',
    'gates route by it, and not by the records that it is made from',
    'topo2topo graph check ADDRESS shows what differs, topo2topo graph rebuild ADDRESS makes it anew',
  ),
  'graph-missing': error(
    'a SrvKeyspace is missing in a cell with tablets of the keyspace (warn: SrvVSchema)',
    'gates of the cell cannot route to the keyspace',
    'topo2topo graph rebuild ADDRESS --cells CELL',
  ),
  'graph-refused': warn(
    'Vitess would refuse to rebuild a keyspace',
    'whether its serving graph is stale cannot be told',
    'finish what is going on, or mend the records that are named, then topo2topo graph check ADDRESS',
  ),
  'srv-keyspace-gone': warn(
    'the SrvKeyspace of a keyspace that does not exist',
    'gates of the cell go on showing the keyspace',
    'topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'srv-vschema-lacks': error(
    'SrvVSchema lacks a keyspace',
    'gates of the cell do not know the keyspace’s tables',
    REBUILD_VSCHEMA,
  ),
  'srv-vschema-gone': warn(
    'SrvVSchema has a keyspace that does not exist',
    'gates of the cell go on planning queries to it',
    REBUILD_VSCHEMA,
  ),
  'partition-cover': error(
    'the shards in a SrvKeyspace leave a gap, overlap, or are none',
    'gates send some rows to no shard, or to two',
    REBUILD,
  ),
  'reference-key-range': error(
    'a SrvKeyspace gives a shard another key range than its name',
    'gates send rows to the wrong shard',
    REBUILD,
  ),
} as const satisfies Readonly<Record<string, Row>>;
