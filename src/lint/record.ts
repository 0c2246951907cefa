import { examineRecord, pathProblems } from '../editing/legal.js';
import { NAME_RULES, type Whose } from '../editing/rules.js';
import { kindOf, storeKind } from '../editing/target.js';
import { isAtLeast, type Target } from '../graph/target.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { StoredRecord } from '../topo/connection.js';
import { readProblem } from '../topo/find.js';
import { classify, type Kind } from '../topo/kinds.js';
import { found, type LintFinding, type Where } from './finding.js';
import { ignored } from './ignored.js';
import type { FindingId } from './table.js';

/** A record, by itself. */
export interface Examined {
  readonly kind: Kind;
  readonly path: string;
  /** The names in the path, by what the kind's pattern calls them. */
  readonly names: Readonly<Record<string, string>>;
  /** Undefined: it does not decode, or is no message. */
  readonly json: JsonObject | undefined;
  readonly found: readonly LintFinding[];
}

/** What can be said of records one by one. */
export class RecordCheck {
  readonly #target: Target;
  /** Each illegal name is told once: all records below it have it. */
  readonly #named = new Set<string>();

  constructor(target: Target) {
    this.#target = target;
  }

  /** What a record is, and what is wrong with it. */
  examine(scope: string, record: StoredRecord): Examined {
    const { path, bytes } = record;
    if (record.ephemeral || classify(storeKind(scope), path, true).kind === 'Lock') {
      const { kind } = classify(storeKind(scope), path, true);
      const stray = kind === 'Ephemeral' ? [strayFile(scope, path)] : [];
      return { kind, path, names: {}, json: undefined, found: stray };
    }
    const { row, names } = kindOf(scope, path);
    const { kind, message } = row;
    const where: Where = { scope, path, ...names, ...(names['alias'] && { tablet: names['alias'] }) };
    const named = Object.entries(names).flatMap(([what, name]) => {
      const problem = NAME_RULES[what]?.(name);
      return problem === undefined ? [] : this.#illegalName(where, `${what}: ${problem}`);
    });
    const nothing = { kind, path, names, json: undefined };
    if (kind === 'Unknown') return { ...nothing, found: unknown(scope, path) };
    if (message === null) return { ...nothing, found: named };
    if (bytes.length === 0 && NEVER_EMPTY.has(kind))
      return { ...nothing, found: [found('empty-record', where, `an empty ${kind}`)] };
    const { json, problems } = examineOf(kind, message, record, { scope, names });
    const own = problems.flatMap(({ rule, text }) => {
      // Whether the address can be used is looked at as a whole.
      if (rule === 'cell-root') return [];
      return rule === 'illegal-name' ? this.#illegalName(where, text) : [problem(rule, kind, where, text)];
    });
    if (json === undefined) return { ...nothing, found: [...named, ...own] };
    const old = ignored(kind, json, where, this.#target);
    return { kind, path, names, json, found: [...named, ...own, ...old] };
  }

  #illegalName(where: Where, text: string): LintFinding[] {
    if (this.#named.has(text)) return [];
    this.#named.add(text);
    return [found('illegal-name', where, text, isAtLeast(this.#target, 17) ? 'error' : 'note')];
  }
}

/** SrvVSchema repeats VSchemas and rules, which are looked at where they are made; that it is stale shows elsewhere. */
function examineOf(
  kind: Kind,
  message: string,
  record: StoredRecord,
  whose: Whose,
): ReturnType<typeof examineRecord> {
  const isReadable = record.told?.unreadable === undefined;
  if (kind !== 'SrvVSchema' && isReadable) return examineRecord(message, record.bytes, whose);
  const problem = readProblem(message, record);
  return { json: undefined, problems: problem === undefined ? [] : [{ rule: 'undecodable', text: problem }] };
}

/** Kinds of which Vitess writes no record in which nothing is set. */
const NEVER_EMPTY: ReadonlySet<Kind> = new Set([
  'Tablet',
  'CellsAlias',
  'RoutingRules',
  'ShardRoutingRules',
  'MirrorRules',
  'ExternalVitessCluster',
  'Workflow',
]);

function problem(id: FindingId, kind: Kind, where: Where, text: string): LintFinding {
  // vtgate refuses a table with two rules; of ShardReplication the next change drops what is there twice.
  const severity = { RoutingRules: 'error', MirrorRules: 'error', ShardReplication: 'note' } as const;
  const own = id === 'listed-twice' && Object.hasOwn(severity, kind);
  return found(id, where, text, own ? severity[kind as keyof typeof severity] : undefined);
}

function unknown(scope: string, path: string): LintFinding[] {
  const { row, names } = kindOf(scope, path);
  const problems = pathProblems({ scope, path, row, names });
  const [first] = problems;
  if (first === undefined) return [found('unknown-file', { scope, path }, 'no file of Vitess')];
  const isForeign = storeKind(scope) === 'cell' && path.startsWith('tablets');
  return [found(isForeign ? 'not-a-tablet' : 'misplaced-record', { scope, path }, first.text)];
}

function strayFile(scope: string, path: string): LintFinding {
  return found('unknown-file', { scope, path }, 'no file of Vitess; it belongs to a session or lease');
}
