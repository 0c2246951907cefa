import { expect, test } from 'vitest';
import { messageFields, messageName, messageType } from '../../src/topo/codec-schema.js';
import { isOneValue } from '../../src/topo/diff-show.js';
import { KINDS } from '../../src/topo/kinds.js';
import { isRule, ruleNames } from '../../src/verify/rule-names.js';
import { FIELD_RULES } from '../../src/verify/rules.js';

/** Fields of all messages that records can hold, by message; what is one value to people is part of the field that holds it. */
function schema(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const visit = (name: string) => {
    const type = messageType(name);
    if (found.has(name) || isOneValue(type)) return;
    found.set(
      name,
      type.fieldsArray.map((field) => field.name),
    );
    for (const inner of messageFields(type)) visit(messageName(inner.type));
  };
  for (const { message } of KINDS) if (message !== null) visit(message);
  return found;
}

test('every field that a record can have has a rule, and no other', () => {
  const rules = Object.entries(FIELD_RULES).map(([message, fields]) => [message, Object.keys(fields).sort()]);
  const fields = [...schema()].map(([message, names]) => [message, names.toSorted()]);
  expect(Object.fromEntries(rules)).toEqual(Object.fromEntries(fields));
});

test('rules are known by kind, by field, and by fields within it', () => {
  for (const name of [
    'shard',
    'shard.tablet_controls.denied_tables',
    'shard.#99',
    'shard.tablet_controls.#7',
    'tablet.missing',
    'metadata.contents',
    'unknown',
    'cell_info.address',
    'srv_vschema.keyspaces.tables.column_vindexes.name',
  ])
    expect(isRule(name), name).toBe(true);
  for (const name of [
    '',
    'shards',
    'shard.',
    'shard.nothing',
    'shard.key_range.start',
    'metadata.x',
    'lock',
    'shard.#9.x',
  ])
    expect(isRule(name), name).toBe(false);
  for (const name of ruleNames()) expect(isRule(name), name).toBe(true);
});
