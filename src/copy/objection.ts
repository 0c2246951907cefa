/** Something that a guard refuses a plan for. */
export interface Objection {
  readonly guard: GuardName;
  readonly what: string;
  /** What it is about: records as `scope:path`, or cells, or counts. */
  readonly about: readonly string[];
  readonly hint: string;
  /** Whether the caller overrules it. */
  readonly overruled: boolean;
}

export type GuardName =
  | 'empty-cells'
  | 'hidden'
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

/** The flag by which a caller lets a plan pass a guard. Absent: none does. */
export const GUARD_FLAGS: Readonly<Partial<Record<GuardName, string>>> = {
  'empty-cells': '--allow-empty-cells',
  shrunk: '--allow-shrunk',
  'other-cell': '--allow-other-cell',
  loss: '--accept-loss',
  unreadable: '--skip-unreadable',
  serving: '--serving',
  undecodable: '--allow-undecodable',
  older: '--allow-older',
  locks: '--allow-locks',
  extra: '--allow-extra',
  'not-copied': '--allow-empty-cells',
  deletions: '--max-delete',
};
