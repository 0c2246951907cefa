import type { Target } from '../graph/target.js';
import type { Clock } from '../topo/clock.js';
import type { Topology } from '../topo/topology.js';

/** What to look at, and how. */
export interface LintOptions {
  readonly topology: Topology;
  /** Cells whose stores are read; empty: all. NoCell for one that the topology has not. */
  readonly cells: readonly string[];
  /** The version of Vitess that reads the topology. */
  readonly target: Target;
  /** Milliseconds from which on a lock counts as stale. */
  readonly lockAgeMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
