import type { Capabilities } from '../topo/connection.js';
import type { Kind } from '../topo/kinds.js';
import type { Cell } from '../topo/topology.js';

/** What planning one scope depends on, apart from the records. */
export interface PlanContext {
  readonly scope: string;
  readonly from: string;
  readonly to: string;
  /** The destination's. */
  readonly capabilities: Capabilities;
  /** The destination's root, which counts towards the length of its paths. */
  readonly root: string;
  /** Kinds to copy; undefined: all. */
  readonly kinds?: ReadonlySet<Kind> | undefined;
  /** Where the destination's cells are; used for CellInfo. */
  readonly cells: ReadonlyMap<string, Cell>;
}
