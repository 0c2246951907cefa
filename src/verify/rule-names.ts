import { messageFields, messageName, messageType } from '../topo/codec-schema.js';
import { KINDS } from '../topo/kinds.js';
import { FIELD_RULES } from './rules.js';

/**
 * Rules are called by kind and field, as paths are but without keys and places: `shard.tablet_controls.denied_tables`. What
 * concerns a record as a whole has one of these names in the place of the field.
 */
const WHOLE = ['missing', 'extra', 'contents', 'undecodable', 'address'] as const;
export type WholeRule = (typeof WHOLE)[number];

/** How rules and paths call a kind: `srv_keyspace`. */
export function kindName(kind: string): string {
  return kind.replace(/([a-z])([A-Z])/g, '$1_$2').toLowerCase();
}

/** Whether a rule belongs to another one, by which all below a field or a kind is meant. */
export function isWithin(rule: string, outer: string): boolean {
  return rule === outer || rule.startsWith(`${outer}.`);
}

/** Whether a difference can be of a rule, or of one within it. */
export function isRule(name: string): boolean {
  const [kind, ...fields] = name.split('.');
  const row = COMPARED.find((each) => kindName(each.kind) === kind);
  if (row === undefined) return false;
  const isWhole = fields.length === 1 && WHOLE.some((each) => each === fields[0]);
  return isWhole || isField(row.message, fields);
}

/** Rules of kinds and of their records' own fields, from which those meant by a misspelt one can be chosen. */
export function ruleNames(): string[] {
  return COMPARED.flatMap(({ kind, message }) => {
    const fields = message === null ? [] : Object.keys(FIELD_RULES[message] ?? {});
    return [kindName(kind), ...[...WHOLE, ...fields].map((name) => `${kindName(kind)}.${name}`)];
  });
}

const COMPARED: readonly { readonly kind: string; readonly message: string | null }[] = [
  ...KINDS.filter(({ copied }) => copied !== false),
  { kind: 'Unknown', message: null },
];

function isField(message: string | null, [name, ...more]: readonly string[]): boolean {
  if (name === undefined) return true;
  if (message === null) return false;
  if (/^#\d+$/.test(name)) return more.length === 0;
  if (FIELD_RULES[message]?.[name] === undefined) return false;
  const inner = messageFields(messageType(message)).find(({ field }) => field.name === name);
  return isField(inner === undefined ? null : messageName(inner.type), more);
}
