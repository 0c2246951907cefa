/** Something that a guard refuses a plan for. */
export interface Objection {
  /** Which guard: the flag that overrules it, without `allow-`, where there is one. */
  readonly guard: GuardName;
  readonly what: string;
  /** What it is about: records as `scope:path`, or cells, or counts. */
  readonly about: readonly string[];
  readonly hint: string;
  /** Whether the caller overrules it. */
  readonly overruled: boolean;
  /** The flag that overrules it, where that is not `--allow-GUARD`. */
  readonly flag?: string | undefined;
}

export type GuardName =
  | 'empty-cells'
  | 'shrunk'
  | 'other-cell'
  | 'cannot-hold'
  | 'loss'
  | 'unreadable'
  | 'serving'
  | 'undecodable'
  | 'leased'
  | 'foreign'
  | 'older'
  | 'locks'
  | 'extra'
  | 'primary-deleted'
  | 'not-copied'
  | 'deletions';
