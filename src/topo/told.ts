import type { Json } from './codec-json.js';
import { ErrorCode, TopologyError } from './errors.js';
import type { Kind } from './kinds.js';

/** What is lost when a record goes from one form to the other, and why. The keys are the kinds that can be accepted by name. */
export const LOSS_KINDS = {
  state: 'whether a tablet takes writes; today its type and the primary say so',
  parent: 'whom a tablet replicates from; today every tablet replicates from the primary',
  health: 'how healthy a tablet found itself; today tablets tell it to the gates directly',
  'tablet-type':
    'a type of tablet that there is no more; idle and scrap tablets are left out, the others become spare',
  address: 'a part of an address that a tablet has no field for',
  'shard-name': 'an entry of the serving graph that does not say which shard it is',
  'unused-class': 'a class of a VSchema that no table has',
  'unknown-field': 'a field that no version of Vitess has',
  'newer-field': 'a field that the JSON of 2015 to 2017 does not have',
} as const;
export type LossKind = keyof typeof LOSS_KINDS;

/** What may be lost or left out on the way from one form into another. */
export interface Tolerance {
  /** Kinds of values that may be lost. Default: none. */
  readonly acceptedLosses?: ReadonlySet<LossKind> | undefined;
  /** Whether a record in no known form may be left out, by its path. Default: none may. */
  readonly skipsUnreadable?: ((path: string) => boolean) | undefined;
}

/** A value that has no place in the other form. */
export interface Loss {
  readonly kind: LossKind;
  /** The record: its path in the store that it is read from. */
  readonly path: string;
  /** Where in the record, as it is spelled there: `State`, `ReplicationLinks[0].Parent`, `tablet_controls[0].frozen`. Empty: all of it. */
  readonly field: string;
  readonly value: Json;
}

/** Something that is left behind since it can be computed from other records: no loss. */
export interface Derived {
  readonly path: string;
  /** Empty: the whole record. */
  readonly field: string;
  /** What it is, in a few words. */
  readonly what: string;
}

/** Something odd in a record that is carried over as it is. */
export interface Note {
  readonly path: string;
  readonly field: string;
  /** One sentence without a full stop. */
  readonly text: string;
  /** It is about how records of the store were read, and told once for all that have the same text. */
  readonly once?: boolean;
}

/** What is told of a record beside its bytes. */
export interface Told {
  readonly losses: readonly Loss[];
  readonly derived: readonly Derived[];
  readonly notes: readonly Note[];
}

/** What a store of another form tells of one of its records. */
export interface RecordTold extends Told {
  /** The record is in no form that is known, this says why, and its bytes are those of the store: Corrupt. */
  readonly unreadable?: TopologyError | undefined;
  /** Other cells whose own records have a part of what the store holds about this one: without them that part is nowhere. */
  readonly cells?: readonly string[] | undefined;
}

/**
 * Something that a store of another form holds and that is no record: `derived`, computed from records (SrvShard, EndPoints); `lost`, a record without
 * counterpart, whose losses say why; `left`, anything else, such as the result of a lock's holder, or data where there should be none.
 */
export interface Beside {
  readonly is: 'derived' | 'lost' | 'left';
  /** Path in the store's own words. */
  readonly native: string;
  /** What it is, or why it is left behind, in a few words. */
  readonly why: string;
  readonly losses: readonly Loss[];
  /** The keyspace that it belongs to, where it is known. */
  readonly keyspace?: string | undefined;
}

/** How a store keeps records that it does not keep as today's stores do. Pure: asks no store. */
export interface RecordForm {
  /** For messages, such as `JSON of Vitess 2.0 and 2.1`. */
  readonly name: string;
  /**
   * The record as it would be read back after it was written at a path, and every value of it that the form has no place for.
   * InvalidPath where the store has no place for such a record, Corrupt when the bytes are no such record, TooLarge where they are too many in
   * this form.
   */
  hold(path: string, bytes: Uint8Array): { readonly bytes: Uint8Array; readonly losses: readonly Loss[] };
}

/** Kinds of records that stores of another form keep in it; all others are the same bytes everywhere, but for the addresses of CellInfo. */
export const KINDS_WITH_FORMS: ReadonlySet<Kind> = new Set<Kind>([
  'Keyspace',
  'VSchema',
  'Shard',
  'Tablet',
  'ShardReplication',
  'SrvKeyspace',
  'SrvVSchema',
]);

/** A record that was read from an old form. */
export interface Transcoded extends Told {
  /** 1 or 2; undefined where it has no fields and both forms are the same. */
  readonly generation: 1 | 2 | undefined;
  /** The record in protobuf; undefined: it has no counterpart, and one of the losses says why. */
  readonly bytes: Uint8Array | undefined;
}

/** A loss in one line: `State = "ReadOnly" (state)`. */
export function showLoss({ kind, field, value }: Loss): string {
  return `${field === '' ? '' : `${field} = `}${shortened(JSON.stringify(value))} (${kind})`;
}

/** How many losses there are of each kind, in the order of {@link LOSS_KINDS}. */
export function lossCounts(losses: readonly Loss[]): Map<LossKind, number> {
  const counts = new Map<LossKind, number>();
  for (const { kind } of losses) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  const order = Object.keys(LOSS_KINDS);
  return new Map([...counts].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
}

/** A text for one line, cut where it is long. */
export function shortened(text: string): string {
  return text.length <= LONGEST_SHOWN ? text : `${text.slice(0, LONGEST_SHOWN)}…`;
}

const LONGEST_SHOWN = 120;

/** A record cannot be written in the form of a store. `losses` has every value that has no place there. */
export class NotHeld extends TopologyError {
  readonly losses: readonly Loss[];

  constructor(losses: readonly Loss[], path: string, store?: string) {
    const shown = losses.slice(0, MOST_SHOWN).map(showLoss).join(', ');
    const more = losses.length > MOST_SHOWN ? ` and ${losses.length - MOST_SHOWN} more` : '';
    super(ErrorCode.Unsupported, `the form of this store has no place for ${shown}${more}`, {
      path,
      store,
      hint: 'take these values out of the record; a copy can leave them behind, with --accept-loss KIND',
    });
    this.losses = losses;
  }
}

const MOST_SHOWN = 5;

/** Throws {@link NotHeld} for the losses whose kinds are not accepted. */
export function checkHeld(
  losses: readonly Loss[],
  accepted: ReadonlySet<LossKind>,
  path: string,
  store?: string,
): void {
  const refused = losses.filter(({ kind }) => !accepted.has(kind));
  if (refused.length > 0) throw new NotHeld(refused, path, store);
}
