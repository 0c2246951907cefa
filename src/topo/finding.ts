/** Something that was found out about a topology: how bad it is, where, why it matters, and what to do. */
export interface Finding<Severity extends string, Id extends string> {
  readonly severity: Severity;
  /** What kind of thing it is; stable. */
  readonly id: Id;
  /** `global`, a cell's name, or several; undefined: all. */
  readonly scope: string | undefined;
  readonly path: string | undefined;
  /** What was found, in one sentence. */
  readonly what: string;
  readonly why: string;
  /** What to do about it. */
  readonly todo: string;
}

/** What a table says of one kind of finding. */
export interface FindingRow<Severity extends string> {
  readonly severity: Severity;
  readonly why: string;
  readonly todo: string;
}

/** What makes the rows of one severity. */
export function rowsOf<Severity extends string>(
  severity: Severity,
): (why: string, todo: string) => FindingRow<Severity> {
  return (why, todo) => ({ severity, why, todo });
}

/** Names as many as a line can hold. */
export function listed(items: readonly string[]): string {
  const more = items.length > SHOWN ? `, and ${items.length - SHOWN} more` : '';
  return `${items.slice(0, SHOWN).join(', ')}${more}`;
}

const SHOWN = 10;
