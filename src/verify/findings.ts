import type { Kind } from '../topo/kinds.js';
import { worstOf } from './classes.js';
import { type Comparison, type Equal, isDifference } from './compare.js';
import type { Difference, LostValue, NotCompared, Note, VerifiedCounts } from './report.js';
import { isWithin } from './rule-names.js';

/** One finding. `whole`: nothing of the difference is left. */
export type Found =
  | { readonly as: 'equal'; readonly found: Equal }
  | { readonly as: 'note'; readonly found: Note }
  | { readonly as: 'loss'; readonly found: LostValue }
  | { readonly as: 'difference'; readonly found: Difference }
  | { readonly as: 'ignored'; readonly found: Difference; readonly whole: boolean }
  | { readonly as: 'not compared'; readonly found: NotCompared };

/** What comparing one scope found so far. */
export class Findings {
  readonly differences: Difference[] = [];
  readonly ignored: Difference[] = [];
  readonly notes: Note[] = [];
  readonly losses: LostValue[] = [];
  readonly notCompared: NotCompared[] = [];
  readonly counts = new Map<Kind, VerifiedCounts>();
  readonly #ignore: readonly string[];
  readonly #tell: (found: Found) => void;

  /** Differences of the rules `ignore`, and of those within them, count for nothing. `tell` is told of each finding. */
  constructor(ignore: readonly string[], tell: (found: Found) => void = () => {}) {
    this.#ignore = ignore;
    this.#tell = tell;
  }

  /** Takes values that are lost. */
  addLosses(losses: readonly LostValue[]): void {
    for (const found of losses) {
      this.losses.push(found);
      this.#tell({ as: 'loss', found });
    }
  }

  add({ notCompared, losses, outcome }: Comparison): void {
    if (losses !== undefined) this.addLosses(losses);
    for (const record of notCompared) {
      this.#countsOf(record.kind).notCompared += 1;
      this.notCompared.push(record);
      this.#tell({ as: 'not compared', found: record });
    }
    if (outcome === undefined) return;
    const counts = this.#countsOf(outcome.kind);
    if (outcome.type === 'equal') {
      counts.equal += 1;
      this.#tell({ as: 'equal', found: outcome });
    } else if (isDifference(outcome)) this.#addDifference(outcome, counts);
    else {
      counts.noted += 1;
      this.notes.push(outcome);
      this.#tell({ as: 'note', found: outcome });
    }
  }

  #addDifference(difference: Difference, counts: VerifiedCounts): void {
    const { ignored, left } = this.#divide(difference);
    if (ignored !== undefined) {
      this.ignored.push(ignored);
      this.#tell({ as: 'ignored', found: ignored, whole: left === undefined });
    }
    if (left === undefined) counts.ignored += 1;
    else {
      counts[left.type] += 1;
      this.differences.push(left);
      this.#tell({ as: 'difference', found: left });
    }
  }

  /** What is ignored of a difference, and what is left of it. */
  #divide(difference: Difference): { ignored: Difference | undefined; left: Difference | undefined } {
    const isIgnored = (rule: string) => this.#ignore.some((outer) => isWithin(rule, outer));
    const ignoresWhole = difference.rule !== undefined && isIgnored(difference.rule);
    const fields = (ignored: boolean) => difference.fields.filter(({ rule }) => isIgnored(rule) === ignored);
    return {
      ignored: partOf(difference, ignoresWhole, fields(true)),
      left: partOf(difference, !ignoresWhole, fields(false)),
    };
  }

  #countsOf(kind: Kind): VerifiedCounts {
    let counts = this.counts.get(kind);
    if (counts === undefined) {
      counts = { equal: 0, noted: 0, ignored: 0, different: 0, missing: 0, extra: 0, notCompared: 0 };
      this.counts.set(kind, counts);
    }
    return counts;
  }
}

/** A difference with some of its fields, and with what it says of the record as a whole or without; undefined: nothing of it. */
function partOf(
  difference: Difference,
  hasWhole: boolean,
  fields: Difference['fields'],
): Difference | undefined {
  const { rule, detail, moves, ...place } = difference;
  const isWhole = hasWhole && rule !== undefined;
  if (!isWhole && fields.length === 0) return undefined;
  if (fields.length === difference.fields.length && isWhole === (rule !== undefined)) return difference;
  const found = isWhole ? difference.class : worstOf(fields.map((field) => field.class));
  return { ...place, ...(isWhole ? { rule, detail, moves } : {}), class: found, fields };
}
