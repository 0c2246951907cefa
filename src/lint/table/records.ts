import { error, note, type Row, warn } from './row.js';

/** Findings about single records of any kind, and about locks. */
export const RECORD_ROWS = {
  undecodable: error(
    'a record does not decode',
    'Vitess’s processes fail over it, or go on as if it were not there',
    'put back its last good state from a backup or from topo2topo history ADDRESS SCOPE:PATH, or delete it: topo2topo rm ADDRESS SCOPE:PATH',
    'put back its last good state from a backup, or delete it: topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'empty-record': warn(
    'a record of zero bytes, of a kind that Vitess never writes empty',
    'Vitess reads it as a record in which nothing is set',
    'put back its contents, or delete it: topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'listed-twice': warn(
    'a list has two elements of one name',
    'readers differ in which of them counts',
    'leave one of them: topo2topo edit ADDRESS SCOPE:PATH',
  ),
  'illegal-name': error(
    'a name that Vitess 17 and newer does not take (note: --target-version is older)',
    'Vitess 17 and newer refuses to read what is called so',
    'there is no renaming: move the data to a keyspace or shard with a legal name before the upgrade',
  ),
  'unknown-file': note(
    'a file that is no part of a topology',
    'no process of Vitess reads it; a copy carries it over',
    'find out whose it is; if nobody’s: topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'misplaced-record': warn(
    'a record in a store in which its kind is not kept, or below another record',
    'no process of Vitess looks there',
    'compare it with the one in its right place, then topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'not-a-tablet': error(
    'a file whose path begins with tablets, in a cell’s store, that is no Tablet',
    'on etcd Vitess reads everything there as a Tablet, and fails to list the cell’s tablets',
    'keep it elsewhere: topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'ignored-field': note(
    'a field is set that this version of Vitess does not read any more',
    'it stays until the record is written anew, and changes nothing',
    'nothing',
  ),
  'ignored-setting': warn(
    'a field is set that used to route or to stop queries, and that this version of Vitess does not read',
    'what it was set for is not done any more',
    'say it as this version wants it said, see docs/lint.md, or clear it: topo2topo edit ADDRESS SCOPE:PATH',
  ),
  'ignored-record': note(
    'a record of a kind that this version of Vitess does not read any more',
    'it changes nothing',
    'make sure that it is not needed, then topo2topo rm ADDRESS SCOPE:PATH',
  ),
  'lock-orphan': error(
    'an entry of a lock belongs to no session or lease',
    'it stays until somebody deletes it; meanwhile nobody gets the lock: no failover',
    'make sure that its holder is gone, then topo2topo locks break ADDRESS PATH',
  ),
  'lock-left-over': warn(
    'ZooKeeper: an empty directory locks was left behind',
    'Vitess’s try-lock, as VTOrc uses it, takes it for a held lock: no failover',
    'topo2topo locks break ADDRESS PATH',
  ),
  'lock-stale': warn(
    'a lock is held for longer than --lock-age',
    'Vitess’s operations take minutes; whoever needs the lock waits in vain',
    'ask its holder; if it hangs, stop it and the lock goes with it, or topo2topo locks break ADDRESS PATH --even-if-alive',
  ),
} as const satisfies Readonly<Record<string, Row>>;
