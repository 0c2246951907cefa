import { type LintFinding, quoted } from '../lint/finding.js';
import type { Severity } from '../lint/table/row.js';
import type { FindingId } from '../lint/table.js';

/** The severities, the worst first. */
export const SEVERITIES = ['error', 'warn', 'note'] as const satisfies readonly Severity[];

/** What of the findings is shown, and what counts. */
export interface LintView {
  /** The topology, as it is given on a command line. */
  readonly address: string;
  /** Whether its store is of a retired format. */
  readonly isOld: boolean;
  /** Severity from which on a finding counts. */
  readonly failOn: Severity;
  readonly ignore: ReadonlySet<FindingId>;
  /** Findings of one kind that are kept to be shown. */
  readonly limit: number;
}

/** Findings, counted, and the first of each kind kept. */
export class LintFindings {
  readonly view: LintView;
  readonly counts: Record<Severity | 'ignored', number> = { error: 0, warn: 0, note: 0, ignored: 0 };
  /** Of each kind, those that are ignored too. */
  readonly ids = new Map<FindingId, number>();
  readonly #kept: LintFinding[] = [];
  readonly #ignored: LintFinding[] = [];

  constructor(view: LintView) {
    this.view = view;
  }

  /** Counts a finding; answers with it as it is shown, and whether it is ignored. */
  add({ old, ...finding }: LintFinding): { readonly shown: LintFinding; readonly isIgnored: boolean } {
    const isIgnored = this.view.ignore.has(finding.id);
    const todo = this.view.isOld ? (old ?? finding.todo) : finding.todo;
    const shown = { ...finding, todo: todo.replace(/\bADDRESS\b/g, () => quoted(this.view.address)) };
    const number = (this.ids.get(finding.id) ?? 0) + 1;
    this.ids.set(finding.id, number);
    this.counts[isIgnored ? 'ignored' : finding.severity] += 1;
    if (number <= this.view.limit) (isIgnored ? this.#ignored : this.#kept).push(shown);
    return { shown, isIgnored };
  }

  /** Those that are kept, the worst first. */
  get kept(): LintFinding[] {
    const rank = ({ severity }: LintFinding) => SEVERITIES.indexOf(severity);
    return this.#kept.toSorted((a, b) => rank(a) - rank(b));
  }

  get ignored(): readonly LintFinding[] {
    return this.#ignored;
  }

  /** Kinds of which more was found than is kept, and how many more. */
  get more(): (readonly [id: FindingId, number: number])[] {
    const { limit } = this.view;
    return [...this.ids].flatMap(([id, number]) => (number > limit ? [[id, number - limit] as const] : []));
  }

  /** Whether anything counts. */
  get fails(): boolean {
    const counting = SEVERITIES.slice(0, SEVERITIES.indexOf(this.view.failOn) + 1);
    return counting.some((severity) => this.counts[severity] > 0);
  }
}
