import type { ServingFlag } from '../graph/serving.js';
import type { ServingGraph } from '../graph/serving-graph.js';
import { isAtLeast, type Target } from '../graph/target.js';
import { reencode } from '../topo/codec.js';
import type { Connection, StoredRecord } from '../topo/connection.js';
import { isTopologyError, type TopologyError } from '../topo/errors.js';
import type { KindRow } from '../topo/kinds.js';
import { type Derived, KINDS_WITH_FORMS, type Loss, type Note, type RecordForm } from '../topo/told.js';

/** What is wished of the serving flags that shards of older stores lack. */
export interface ServingWish {
  /** Version of Vitess that the records are for: from 12 on the flag is derived. Undefined: it is not. */
  readonly target?: Target | undefined;
  /** Whether shards serve, by `keyspace/shard`, where their records do not tell. */
  readonly serving?: ReadonlyMap<string, boolean> | undefined;
}

/** From which form into which records go. */
export interface Carrying {
  readonly from: RecordForm | undefined;
  readonly to: RecordForm | undefined;
  /** What tells of the serving flags of the shards of the side that the records come from. */
  readonly graph: ServingGraph;
  /** Whether shards get the flag that they lack. */
  readonly derives: boolean;
}

/** What a record becomes on its way from one store into another. */
export interface Carried {
  /** What the other store is to give back. */
  readonly bytes: Uint8Array;
  readonly losses: readonly Loss[];
  readonly derived: readonly Derived[];
  readonly notes: readonly Note[];
  /** What the flag of a Shard was derived as, where it was lacking. */
  readonly serving?: ServingFlag | undefined;
  /** It is in no form that is known: nothing can be made of it. */
  readonly unreadable?: TopologyError | undefined;
  /** The other store has no place for it. */
  readonly refused?: TopologyError | undefined;
}

/** How records go from one store into another; undefined: both keep them in the same form. */
export function carryingOf(
  from: Connection | undefined,
  to: Connection | undefined,
  graph: ServingGraph,
  target: Target | undefined,
): Carrying | undefined {
  const forms = { from: from?.capabilities.form, to: to?.capabilities.form };
  if (forms.from === undefined && forms.to === undefined) return undefined;
  const derives = forms.to === undefined && target !== undefined && isAtLeast(target, 12);
  return { ...forms, graph, derives };
}

/** Whether records of a kind change their form on the way. */
export function isTranscoded(kind: KindRow['kind'], carrying: Carrying | undefined): boolean {
  return carrying !== undefined && KINDS_WITH_FORMS.has(kind);
}

/** What a record becomes. Never fails: what cannot be carried says so. */
export function carry(row: KindRow, record: StoredRecord, carrying: Carrying | undefined): Carried {
  if (carrying === undefined) return { bytes: record.bytes, ...NOTHING_TOLD };
  const { losses, derived, notes, unreadable } = record.told ?? NOTHING_TOLD;
  const read = { bytes: record.bytes, losses, derived, notes, unreadable };
  if (unreadable !== undefined) return read;
  const isShard = row.kind === 'Shard';
  const serving = isShard && carrying.derives ? carrying.graph.flagOf(record.path, record.bytes) : undefined;
  const bytes = serving?.serving === true ? withFlag(record.bytes) : record.bytes;
  if (carrying.to === undefined) return { ...read, bytes, serving };
  try {
    const held = carrying.to.hold(record.path, bytes);
    const dropped = isShard ? flagOf(record, held, carrying) : undefined;
    return {
      ...read,
      bytes: held.bytes,
      losses: [...losses, ...held.losses.filter(({ field }) => dropped === undefined || field !== FLAG)],
      derived: dropped === undefined ? derived : [...derived, dropped],
    };
  } catch (error) {
    if (!isTopologyError(error)) throw error;
    return { ...read, bytes, refused: error };
  }
}

const NOTHING_TOLD: Pick<Carried, 'losses' | 'derived' | 'notes' | 'unreadable'> = {
  losses: [],
  derived: [],
  notes: [],
};

const SHARD = 'topodata.Shard';
const FLAG = 'is_primary_serving';

function withFlag(bytes: Uint8Array): Uint8Array {
  return reencode(SHARD, bytes, (json) => ({ ...json, [FLAG]: true }));
}

/**
 * The flag that a form has no place for, where served_types says the same; undefined: there is none, or it does not. The serving graph is not
 * enough: Vitess of that time rebuilds it from served_types, and would take the shard out of service.
 */
function flagOf(
  { path }: StoredRecord,
  held: ReturnType<RecordForm['hold']>,
  { graph }: Carrying,
): Derived | undefined {
  if (!held.losses.some(({ field }) => field === FLAG)) return undefined;
  const again = graph.flagOf(path, held.bytes);
  if (again?.serving !== true || again.from !== 'served_types') return undefined;
  return { path, field: FLAG, what: `the serving flag: ${again.reason}` };
}
