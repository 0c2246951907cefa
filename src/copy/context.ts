import type { Capabilities } from '../topo/connection.js';
import type { Kind } from '../topo/kinds.js';
import { type Cell, GLOBAL } from '../topo/topology.js';
import type { Carrying } from '../verify/carried.js';
import type { Ledger } from './ledger.js';

/** What deciding on the records of one scope depends on, apart from the records. */
export interface PlanContext {
  readonly scope: string;
  /** Names of both stores. */
  readonly from: string;
  readonly to: string;
  /** The destination's. */
  readonly capabilities: Capabilities;
  /** The destination's root, which counts towards the length of its paths. */
  readonly root: string;
  /** What is asked for; undefined: everything. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  readonly keyspaces?: ReadonlySet<string> | undefined;
  readonly paths?: ReadonlySet<string> | undefined;
  /** Where the destination's cells are; used for CellInfo. */
  readonly cells: ReadonlyMap<string, Cell>;
  /** Names of the source's cells, where a client configuration tells them; undefined: records of the source do. */
  readonly configuredCells?: ReadonlySet<string> | undefined;
  /** Whether records that only the destination has are deleted. */
  readonly deletes?: boolean | undefined;
  /** How records change their form on the way; undefined: they do not. */
  readonly carrying?: Carrying | undefined;
  /** What this copy wrote or found equal before: that it may replace and delete. */
  readonly ledger?: Ledger | undefined;
}

/** Which rows of the table of kinds hold in a scope. */
export function scopeKind(scope: string): 'global' | 'cell' {
  return scope === GLOBAL ? 'global' : 'cell';
}
