import { error, type Row, warn } from './row.js';

const APPLY = 'topo2topo vtctl ADDRESS ApplyVSchema -vschema_file FILE KEYSPACE';
const EDIT = 'topo2topo edit ADDRESS SCOPE:PATH, then topo2topo graph rebuild ADDRESS --vschema';

/** Findings about VSchemas and routing. */
export const VSCHEMA_ROWS = {
  'vindex-unknown': error(
    'a table of a VSchema uses a vindex that is not defined',
    'vtgate gives up on the VSchema of the whole keyspace: tables go missing',
    APPLY,
  ),
  'vindex-type-unknown': warn(
    'a vindex of a type that Vitess does not come with',
    'a vtgate that was not built with it gives up on the VSchema of the whole keyspace',
    APPLY,
  ),
  'table-invalid': error(
    'a table of a VSchema breaks a rule of vtgate: no primary vindex, an unpinned sequence in a sharded keyspace, column and columns at once …',
    'vtgate gives up on the VSchema of the whole keyspace: tables go missing',
    APPLY,
  ),
  'owner-gone': warn(
    'the owner of a vindex is a table that its VSchema does not have',
    'nobody keeps the lookup table up to date',
    APPLY,
  ),
  'lookup-gone': error(
    'the table of a lookup vindex is in a keyspace that does not exist, or not in its VSchema',
    'queries that need the lookup fail',
    APPLY,
  ),
  'sequence-gone': error(
    'the sequence of a table is in a keyspace that does not exist, or not in its VSchema',
    'vtgate drops the table from its VSchema: queries to it fail',
    APPLY,
  ),
  'source-gone': error(
    'the source of a reference table is in a keyspace that does not exist, or not in its VSchema',
    'vtgate reports an error for the VSchema of the whole keyspace',
    APPLY,
  ),
  'rule-keyspace-gone': error(
    'a rule leads to a keyspace that does not exist',
    'queries that the rule is about fail',
    EDIT,
  ),
  'rule-from-gone': warn(
    'a rule is about tables or shards of a keyspace that does not exist',
    'it applies to nothing; a new keyspace of that name would inherit it',
    EDIT,
  ),
  'rule-table-gone': error(
    'a rule leads to a table that is not in the VSchema of its sharded keyspace, or names no keyspace',
    'vtgate answers queries to the table with an error',
    EDIT,
  ),
  'rule-shard-gone': error(
    'a shard routing rule leads to a shard that its keyspace does not have',
    'queries to the shard fail',
    EDIT,
  ),
  'several-targets': error(
    'a routing rule has several targets',
    'vtgate answers queries to the table with an error',
    EDIT,
  ),
  'mirror-percent': error('a mirror rule’s percent is not from 0 to 100', 'vtgate refuses the rule', EDIT),
} as const satisfies Readonly<Record<string, Row>>;
