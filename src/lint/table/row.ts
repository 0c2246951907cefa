import type { FindingRow } from '../../topo/finding.js';

/** `error`: Vitess fails, or routes wrongly, over it; `warn`: somebody should look; `note`: good to know. */
export type Severity = 'error' | 'warn' | 'note';

/**
 * What is known of a kind of finding; how bad it is where nothing makes it better or worse. In `todo`, ADDRESS stands for the topology, and SCOPE:PATH, KEYSPACE, SHARD, CELL and
 * TABLET for those of the finding.
 */
export interface Row extends FindingRow<Severity> {
  readonly means: string;
  /** In place of `todo` in a store of a retired format, where that would not work. */
  readonly old?: string | undefined;
}

export function error(means: string, why: string, todo: string, old?: string): Row {
  return { severity: 'error', means, why, todo, old };
}

export function warn(means: string, why: string, todo: string, old?: string): Row {
  return { severity: 'warn', means, why, todo, old };
}

export function note(means: string, why: string, todo: string, old?: string): Row {
  return { severity: 'note', means, why, todo, old };
}
