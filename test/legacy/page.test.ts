import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FILLED_IN } from '../../src/graph/filled-in.js';
import { NAMES_THEN } from '../../src/legacy/held-fields.js';
import { typeOfWord } from '../../src/legacy/tablet-types.js';
import { LOSS_KINDS } from '../../src/topo/told.js';
import { HELD } from './held.js';

const PAGE = readFileSync(new URL('../../docs/legacy.md', import.meta.url), 'utf8');
const section = (title: string) => PAGE.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

test('the page has every kind of loss, in the words of the product', () => {
  const rows = [...section('Losses').matchAll(/^\| `([a-z-]+)` +\| (.+?) +\|$/gm)].map(([, kind, text]) => [
    kind,
    text,
  ]);
  expect(Object.fromEntries(rows)).toEqual(LOSS_KINDS);
});

test('the page has every field that is filled in', () => {
  const text = section('What a running cluster fills in');
  for (const rule of Object.keys(FILLED_IN)) {
    const [, message = '', field = ''] = /^\w+\.(\w+)\.(\w+)$/.exec(rule) ?? [];
    expect(text, rule).toMatch(new RegExp(`^\\| ${message} .*\`${field}\``, 'm'));
  }
});

test('the page has every field of the records that JSON of that time can hold', () => {
  const text = section('The way back');
  for (const kind of ['Keyspace', 'Shard', 'Tablet', 'SrvKeyspace', 'SrvVSchema']) {
    const fields = HELD[`${kind === 'SrvVSchema' ? 'vschema' : 'topodata'}.${kind}`]?.split(' ') ?? [];
    expect(fields.length).toBeGreaterThan(0);
    for (const field of fields) expect(text).toMatch(new RegExp(`^\\| ${kind} .*\`${field}\``, 'm'));
  }
});

test('the page has every other name, and every type word stands there', () => {
  const held = Object.entries(NAMES_THEN).filter(
    ([, then]) => !then.endsWith('start_time') && then !== 'is_master_serving',
  );
  for (const [, then] of held) expect(section('Generation 2')).toContain(`\`${then}\``);
  const words =
    'master replica rdonly batch spare experimental backup restore checker worker schema_apply snapshot_source lag lag_orphan idle scrap';
  for (const word of words.split(' ')) {
    expect(section('Generation 1, field by field')).toContain(word);
    expect(typeOfWord(word)).toBeDefined();
  }
});
