import type { CallOptions } from '../topo/connection.js';
import type { Pair } from '../topo/join.js';
import type { Tolerance } from '../topo/told.js';
import type { Topology } from '../topo/topology.js';
import type { Baseline } from './baseline.js';
import type { ServingWish } from './carried.js';
import type { Found } from './findings.js';
import type { Narrowing } from './narrowing.js';
import type { Authority, Settling } from './settle.js';

/** A comparison of two topologies, which stay open. */
export interface VerifyOptions extends CallOptions, Narrowing, ServingWish, Tolerance {
  readonly source: Topology;
  readonly destination: Topology;
  /** Accept cells whose stores hold nothing on both sides. */
  readonly allowEmptyCells?: boolean | undefined;
  /** Rules whose differences count for nothing, and those within them; see rule-names.ts. Reported all the same. */
  readonly ignore?: readonly string[] | undefined;
  /** Bear with stores that are written to; undefined: what differs when it is read once is a difference. */
  readonly settle?: Settling | undefined;
  /** What both sides held before: what processes changed since in the authority has advanced. */
  readonly baseline?: Baseline | undefined;
  /** Default: that of {@link settle}, else the source. */
  readonly authority?: Authority | undefined;
  /** Make digests of all that is compared. */
  readonly digests?: boolean | undefined;
  /** Cells read at the same time. */
  readonly concurrency: number;
  /** Told of each record as it is decided: in path order in each part, those that had to be read again last. */
  readonly onFound?: ((found: Found) => void) | undefined;
  /** Told of what was read, page by page. */
  readonly onPairs?: ((pairs: readonly Pair[]) => void) | undefined;
  /** Told while it runs: pairs compared in a scope so far. */
  readonly onProgress?: ((scope: string, pairs: number) => void) | undefined;
}
