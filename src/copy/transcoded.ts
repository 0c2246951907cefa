import type { FilledIn } from '../graph/filled-in.js';
import type { ServingFlag } from '../graph/serving.js';
import type { Kind } from '../topo/kinds.js';
import { sharedNumbers } from '../topo/shared-numbers.js';
import type { Beside, Derived, Loss, Note } from '../topo/told.js';
import type { Carried } from '../verify/carried.js';

/** A value that is lost by a copy. */
export interface PlannedLoss extends Loss {
  /** Of the record; undefined: of something that is no record today. */
  readonly record: Kind | undefined;
}

/** A serving flag that a Shard lacked, and what it became. */
export interface PlannedFlag extends ServingFlag {
  readonly path: string;
}

/** What all stores of today keep records in. */
export const PROTOBUF = 'protobuf';

/** What is told of a record that was carried over. */
type CarriedTold = Pick<Carried, 'losses' | 'derived' | 'notes' | 'serving'>;

/** What became of a flag, in a few words. */
export function servingText({ serving }: ServingFlag): string {
  if (serving === undefined) return 'not known whether it serves';
  return serving ? 'serves' : 'does not serve';
}

/** What a plan tells of records that change their form on the way. Empty where both stores keep them in the same one. */
export class Transcoded {
  /** Names of the forms; undefined: protobuf, as all stores of today. */
  from: string | undefined;
  to: string | undefined;
  /** Of records that are part of the copy, whether they are written or the same already. */
  readonly losses: PlannedLoss[] = [];
  /** What is dropped since it can be computed from other records. */
  readonly derived: Derived[] = [];
  readonly notes: Note[] = [];
  /** Tablets of a source of another form, by the names of their directories. */
  readonly tablets: string[] = [];
  /** How records were read, where that is not plain, and in how many of them. */
  readonly readBy = new Map<string, number>();
  /** What the source holds beside records and stays behind; what is derived or lost is in the lists of these. */
  readonly left: Beside[] = [];
  readonly serving: PlannedFlag[] = [];
  /** Fields that are empty in records that are written, by `message.field`: who fills them in, and in how many records. */
  readonly filledIn = new Map<string, { readonly by: string; records: number }>();

  /** Takes what carrying over one record told. */
  add(kind: Kind, path: string, { losses, derived, notes, serving }: CarriedTold): void {
    for (const loss of losses) this.losses.push({ ...loss, record: kind });
    this.derived.push(...derived);
    for (const note of notes) {
      if (note.once !== true) this.notes.push(note);
      else this.readBy.set(note.text, (this.readBy.get(note.text) ?? 0) + 1);
    }
    if (serving !== undefined) this.serving.push({ path, ...serving });
    if (kind === 'Tablet' && this.from !== undefined) this.tablets.push(path.split('/')[1] ?? '');
  }

  /** Takes what the source holds beside records. */
  addBeside(beside: Beside): void {
    const { is, native, why, losses } = beside;
    for (const loss of losses) this.losses.push({ ...loss, record: undefined });
    if (is === 'derived') this.derived.push({ path: native, field: '', what: why });
    else if (is === 'left') this.left.push(beside);
  }

  addFilledIn(message: string, fields: readonly FilledIn[]): void {
    for (const { field, by } of fields) {
      const name = `${message}.${field}`;
      const known = this.filledIn.get(name);
      if (known === undefined) this.filledIn.set(name, { by, records: 1 });
      else known.records += 1;
    }
  }
}

/** Notes tablets of a source of another form that have one number in several cells, at the first of them. */
export function noteSharedNumbers(scopes: readonly { readonly transcoded: Transcoded }[]): void {
  for (const note of sharedNumbers(scopes.flatMap(({ transcoded }) => transcoded.tablets))) {
    const [, first = ''] = note.path.split('/');
    scopes.find(({ transcoded }) => transcoded.tablets.includes(first))?.transcoded.notes.push(note);
  }
}
