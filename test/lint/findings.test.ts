import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { found } from '../../src/lint/finding.js';
import { FINDINGS, isFindingId } from '../../src/lint/table.js';
import { KEYSPACE_CASES } from './cases/keyspaces.js';
import { RECORD_CASES } from './cases/records.js';
import { SERVING_CASES } from './cases/serving.js';
import { TABLET_CASES } from './cases/tablets.js';
import { VSCHEMA_CASES } from './cases/vschemas.js';
import { type Case, Planted } from './planted.js';

const CASES: readonly Case[] = [
  ...RECORD_CASES,
  ...KEYSPACE_CASES,
  ...TABLET_CASES,
  ...SERVING_CASES,
  ...VSCHEMA_CASES,
];
/** What needs more than a correct topology with some other records: see lint.test.ts and test/cli/lint-servers.test.ts. */
const ELSEWHERE = ['no-cells', 'cell-unreachable', 'lock-left-over', 'lock-stale'];

let planted: Planted | undefined;
afterEach(async () => {
  await planted?.close();
  planted = undefined;
});

test.each(['24', '21', '19', '16'])('a correct topology has nothing to find: Vitess %s', async (target) => {
  planted = await Planted.correct(target);
  const { found, stores } = await planted.lint();
  expect(found).toEqual([]);
  expect(stores.map(({ scope, isRead }) => [scope, isRead])).toEqual([
    ['global', true],
    ['zone1', true],
    ['zone2', true],
  ]);
});

describe('each defect is found, and nothing else', () => {
  test.each(
    CASES.map((each) => [`${each.id}${each.title === undefined ? '' : `: ${each.title}`}`, each] as const),
  )('%s', async (_, { id, changes, isRebuilt, afterwards, target, at, severity, says }) => {
    planted = await Planted.correct(target);
    const all = typeof changes === 'function' ? changes(planted.server) : changes;
    await planted.change(all);
    if (isRebuilt !== false) await planted.rebuild();
    await planted.change(afterwards ?? []);
    const { found } = await planted.lint();
    const places = at ?? [all[0]?.[0]];
    expect(found.map((each) => [each.id, `${each.scope}:${each.path}`])).toEqual(
      places.map((place) => [id, place]),
    );
    for (const each of found) {
      expect(each.severity).toBe(severity ?? FINDINGS[id].severity);
      if (says !== undefined) expect(each.what).toMatch(says);
      expect(each.todo).not.toMatch(/SCOPE:PATH|KEYSPACE/);
    }
  });
});

test('every finding has a case', () => {
  const covered = new Set([...CASES.map(({ id }) => id), ...ELSEWHERE]);
  expect(Object.keys(FINDINGS).filter((id) => !covered.has(id))).toEqual([]);
});

test('in a store of a retired format no command is told that does not know it, and what is known is filled in', () => {
  const places = { path: 'p', keyspace: 'k', shard: 's', cell: 'c', tablet: 'c-1' };
  for (const id of Object.keys(FINDINGS).filter(isFindingId)) {
    const { old, todo } = found(id, places, 'it is so');
    // Terms are of Vitess 5 and newer: no old form has a place for them.
    if (id === 'primary-term') continue;
    expect(old ?? todo, id).not.toMatch(
      /vtctldclient|SetShardIsPrimaryServing|topo2topo history|SCOPE|KEYSPACE|SHARD/,
    );
  }
});

test('docs/lint.md lists what can be found, word for word', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/lint.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` +\|(.+)\|$/gm)].map(([, id, rest = '']) => [
    id,
    ...rest.split(' | ').map((cell) => cell.trim()),
  ]);
  expect(rows).toEqual(
    Object.entries(FINDINGS).map(([id, { severity, means, why, todo }]) => [id, severity, means, why, todo]),
  );
});
