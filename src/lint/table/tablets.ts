import { error, note, type Row, warn } from './row.js';

const FIX = 'topo2topo edit ADDRESS SCOPE:PATH';
const FIX_SHARD = 'topo2topo edit ADDRESS global:keyspaces/KEYSPACE/shards/SHARD/Shard';

/** Findings about tablets, primaries and replication. */
export const TABLET_ROWS = {
  'bad-alias': error('a field that should be a tablet’s alias is none', 'no tablet can be found by it', FIX),
  'primary-unknown-cell': error(
    'the primary of a shard is in a cell that does not exist',
    'nobody finds it: replicas and VTOrc have no primary to follow',
    'add the cell (topo2topo cell add), or elect a primary: vtctldclient EmergencyReparentShard KEYSPACE/SHARD',
    `add the cell, or name another primary: ${FIX}`,
  ),
  'primary-gone': error(
    'the primary that a shard names has no Tablet record',
    'nobody finds it: replicas and VTOrc have no primary to follow',
    'if the tablet runs, restart it: it writes its record; else vtctldclient EmergencyReparentShard KEYSPACE/SHARD',
    `if the tablet runs, restart it: it writes its record; else name another primary: ${FIX}`,
  ),
  'primary-elsewhere': error(
    'the primary that a shard names is a tablet of another shard',
    'replicas would follow another shard’s data',
    'vtctldclient PlannedReparentShard KEYSPACE/SHARD --new-primary TABLET with one of its own tablets',
    `name one of its own tablets: ${FIX}`,
  ),
  'primary-type': warn(
    'the primary that a shard names is not of type PRIMARY',
    'gates find no primary until its tablet starts anew and becomes it, with the shard’s term',
    'vtctldclient PlannedReparentShard KEYSPACE/SHARD --new-primary TABLET',
    `name the tablet that has the data: ${FIX}`,
  ),
  'primary-term': warn(
    'a shard and its primary name different starts of its term',
    'the later term wins: a tablet whose term lies between may take over',
    'vtctldclient TabletExternallyReparented TABLET makes both anew',
  ),
  'primary-unnamed': warn(
    'a tablet of type PRIMARY is not the one that its shard names (error: its term is the later one)',
    'the later term wins: with an earlier one it steps down, with a later one it takes over when it starts',
    'find out which of the two has the data: vtctldclient GetTablets --keyspace KEYSPACE --shard SHARD; then vtctldclient PlannedReparentShard KEYSPACE/SHARD',
    `find out which of the two has the data, then name it: ${FIX_SHARD}`,
  ),
  'tablet-directory': error(
    'the directory of a Tablet is not as Vitess writes an alias',
    'Vitess looks for the tablet under another path, or fails to list the cell’s tablets',
    'restart the tablet: it writes its record in the right place; then topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'alias-mismatch': error(
    'the alias in a Tablet is not the one of its directory',
    'Vitess finds two tablets where there is one, or takes one for the other',
    'restart the tablet that runs under the directory’s alias; if none does: topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'wrong-cell': error(
    'a tablet of one cell is in the store of another',
    'nobody looks for it there; the address of one of the two cells may be wrong',
    'topo2topo cell list ADDRESS shows the addresses; if they are right: topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'tablet-shard-gone': error(
    'a tablet of a keyspace or shard that does not exist',
    'nobody routes to it; when it starts, it makes the shard',
    'if it is not needed: topo2topo vtctl ADDRESS DeleteTablet TABLET; else topo2topo vtctl ADDRESS CreateShard KEYSPACE/SHARD',
  ),
  'tablet-without-keyspace': note(
    'a tablet of no keyspace and no shard',
    'it was idle or taken out of service under an old version; nobody routes to it',
    'if it is not needed: topo2topo vtctl ADDRESS DeleteTablet TABLET',
  ),
  'tablet-key-range': error(
    'the key range of a Tablet is not that of its shard’s name',
    'Vitess refuses to start it so, and old gates route by it',
    'restart the tablet: it writes its record anew',
  ),
  'tablet-type-unknown': warn(
    'a tablet has no type, or one that Vitess does not know (error: a type of the alphas of Vitess 2.0)',
    'gates do not route to it; the alphas numbered types otherwise, so all types of the topology may mean others',
    'restart the tablet; where all types are of an alpha, copy from that version’s own tools',
  ),
  'blank-hostname': note(
    'a tablet without hostname: it was stopped in good order (warn: it is its shard’s primary, or has ports)',
    'gates leave it out until it starts',
    'if it does not come back: topo2topo vtctl ADDRESS DeleteTablet TABLET',
  ),
  'bad-port': warn(
    'a port that is none',
    'nobody reaches the tablet there',
    'restart the tablet, or check its flags',
  ),
  'replication-missing': error(
    'a tablet is not in the ShardReplication of its cell and shard',
    'commands about its shard do not see it, and an emergency reparent never chooses it',
    'vtctldclient ShardReplicationAdd KEYSPACE/SHARD TABLET, or restart the tablet',
    `restart the tablet, or name it: ${FIX}`,
  ),
  'replication-gone': warn(
    'ShardReplication names a tablet that has no record',
    'readers skip it',
    'vtctldclient ShardReplicationFix CELL KEYSPACE/SHARD',
    `take it out: ${FIX}`,
  ),
  'replication-elsewhere': warn(
    'ShardReplication names a tablet of another shard',
    'commands about the shard touch a tablet that is not in it',
    'vtctldclient ShardReplicationRemove KEYSPACE/SHARD TABLET',
    `take it out: ${FIX}`,
  ),
  'replication-wrong-cell': warn(
    'ShardReplication names a tablet of another cell',
    'a tablet is looked for in its own cell’s list alone',
    'vtctldclient ShardReplicationRemove KEYSPACE/SHARD TABLET',
    `take it out: ${FIX}`,
  ),
  'replication-shard-gone': warn(
    'ShardReplication of a keyspace or shard that does not exist',
    'it is a leftover that a new shard of that name would inherit',
    'topo2topo rm ADDRESS SCOPE:PATH',
  ),
} as const satisfies Readonly<Record<string, Row>>;
