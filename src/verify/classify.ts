import type { TracedDifference } from '../topo/diff.js';
import type { KindRow } from '../topo/kinds.js';
import type { Class } from './classes.js';
import type { ClassedField, Difference } from './report.js';
import { kindName, type WholeRule } from './rule-names.js';
import { type ComparedKind, FIELD_RULES, type FieldRule, KIND_RULES } from './rules.js';

/** A field that the schema does not know: a copy carries it over, rebuilding loses it. */
const UNKNOWN_FIELD: FieldRule = { class: 'repairable', notRebuilt: true };

/** A difference between two records of a kind: its path from the kind on, its rule and its class. */
export function classifyField(row: KindRow, difference: TracedDifference): ClassedField {
  const kind = kindName(row.kind);
  const rule = fieldRule(difference.declared);
  return {
    path: `${kind}.${difference.path}`,
    a: difference.a,
    b: difference.b,
    rule: `${kind}.${difference.names}`,
    class: classOf(row, rule, difference),
    ...movesOf(row, rule),
  };
}

/** Class of a difference that concerns a record as a whole. */
export function classifyWhole(
  row: KindRow,
  rule: WholeRule,
): Pick<Difference, 'class' | 'moves'> & { rule: string } {
  return {
    rule: `${kindName(row.kind)}.${rule}`,
    class: rule === 'address' ? 'dangerous' : classOf(row, kindRule(row), undefined),
    ...movesOf(row, kindRule(row)),
  };
}

function movesOf(row: KindRow, rule: FieldRule): { moves?: true } {
  return row.derived || rule.moves === true ? { moves: true } : {};
}

function classOf(row: KindRow, rule: FieldRule, sides: TracedDifference | undefined): Class {
  const blank = rule.neverBlank === true && (sides?.a === BLANK || sides?.b === BLANK);
  if (blank || rule.class === 'dangerous') return 'dangerous';
  return row.derived && rule.notRebuilt !== true ? 'stale' : rule.class;
}

/** An empty text, as it is shown. */
const BLANK = '""';

function fieldRule(declared: string): FieldRule {
  const at = declared.lastIndexOf('.');
  const [message, name] = [declared.slice(0, at), declared.slice(at + 1)];
  return FIELD_RULES[message]?.[name] ?? UNKNOWN_FIELD;
}

function kindRule(row: KindRow): FieldRule {
  return KIND_RULES[row.kind as ComparedKind];
}
