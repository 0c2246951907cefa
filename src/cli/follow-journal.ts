import type { PreparedCopy } from '../copy/copy.js';
import { type Identities, identitiesOf } from '../copy/identities.js';
import type { Journal } from '../copy/journal.js';
import type { CopyOptions } from '../copy/options.js';
import type { Plan } from '../copy/plan.js';

/** Records that a journal may have noted before it is written anew. */
const MOST_NOTED = 100_000;

/** The journal of a follower, which is never done: kept short, and at the end told all that the follower knows to be its own. */
export class FollowJournal {
  readonly #journal: Journal;
  #begun: { readonly identities: Identities; readonly parts: PreparedCopy['parts'] } | undefined;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** Before the first write. `resume`: keeps what an interrupted run may have written. */
  async begin(resume: boolean, prepared: PreparedCopy, options: CopyOptions): Promise<void> {
    const identities = await identitiesOf(prepared.parts, options);
    this.#begun = { identities, parts: prepared.parts };
    this.#journal.begin(resume, identities, prepared);
  }

  /** After a complete pass. `waiting`: paths that may differ. What is known at a moment without any replaces what was noted before. */
  passed(plan: Plan, waiting: number): void {
    const isEqual = waiting === 0 && plan.scopes.every(({ toWrite }) => toWrite === 0);
    if (this.#begun === undefined || !isEqual || this.#journal.noted < MOST_NOTED) return;
    const { identities, parts } = this.#begun;
    this.#journal.close();
    this.#journal.begin(false, identities, { plan, parts });
  }

  /** At the end: what was found equal, since another follower wrote it, is in no journal yet. */
  end(): void {
    if (this.#begun === undefined) return;
    const { parts } = this.#begun;
    // Without the entries of a plan: what the last pass found may be somebody else's.
    this.#journal.found({ plan: { scopes: parts.map(({ scope }) => ({ scope, entries: [] })) }, parts });
  }
}
