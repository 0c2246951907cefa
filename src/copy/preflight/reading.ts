import type { StoreAddress } from '../../topo/address.js';
import type { Capabilities } from '../../topo/connection.js';
import type { TopologyError } from '../../topo/errors.js';
import type { StoreHealth } from '../../topo/health.js';
import type { Cell } from '../../topo/topology.js';
import type { Probed } from './probe.js';
import type { Survey } from './survey.js';

export type Side = 'source' | 'destination';

/** What was read of one side. */
export interface SideReading {
  readonly side: Side;
  readonly address: StoreAddress;
  /** Cells of this side: those it has, and for a destination those that it will have. */
  readonly cells: readonly Cell[];
  /** The global part first. */
  readonly scopes: readonly ScopeReading[];
  /** Each set of servers once. */
  readonly servers: readonly ServersReading[];
  /** Milliseconds for which this tool's locks outlive it; undefined: nobody chose. */
  readonly lockTtlMs?: number | undefined;
}

/** What was read of the global store, or of one cell's. */
export interface ScopeReading {
  readonly side: Side;
  readonly scope: string;
  readonly address: StoreAddress;
  /** Why it could not be read. */
  readonly failure?: TopologyError | undefined;
  readonly survey?: Survey | undefined;
  /** What it keeps records in, where that is not as today's stores do. */
  readonly form?: string | undefined;
  /** What the store can hold. */
  readonly limits?: Limits | undefined;
  /** What came of trying to write and lock; undefined: not tried. */
  readonly probed?: Probed | undefined;
}

/** See {@link Capabilities}. */
export type Limits = Pick<Capabilities, 'maxValueBytes' | 'maxPathBytes' | 'batch'>;

/** Servers, and which parts of a topology they hold. */
export interface ServersReading {
  readonly side: Side;
  readonly scopes: readonly string[];
  readonly address: StoreAddress;
  readonly health: StoreHealth;
}
