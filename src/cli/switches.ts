import type { Argv } from 'yargs';

/** Every boolean flag of every command. What is not listed here would be read as false when it is given another value than `true`. */
export const SWITCHES = {
  'dry-run': 'show the plan, write nothing',
  verify: 'compare both sides afterwards',
  'allow-empty-cells': 'accept cells whose store holds nothing',
  'allow-extra': 'accept records that only the destination has; they are left alone',
  'allow-older': 'write a shard over one whose primary is of a later term',
  'do-keyspaces': 'narrow to Keyspace and VSchema',
  'do-shards': 'narrow to Shard',
  'do-shard-replications': 'narrow to ShardReplication',
  'do-tablets': 'narrow to Tablet',
  'do-routing-rules': 'narrow to RoutingRules',
  compare: 'compare instead of copying',
  long: 'say what each name is: d directory, e ephemeral',
  l: 'the same as --long',
  raw: 'the stored bytes, unchanged',
  logtostderr: 'of Vitess’s log; ignored',
  alsologtostderr: 'of Vitess’s log; ignored',
  help: 'show help',
  version: 'show the version',
} as const;
export type SwitchName = keyof typeof SWITCHES;

/** Adds boolean flags to a command. */
export function switches(yargs: Argv, ...names: SwitchName[]): Argv {
  return names.reduce(
    (flags, name) => flags.option(name, { type: 'boolean', default: false, describe: SWITCHES[name] }),
    yargs,
  );
}
