import { describe, expect, test } from 'vitest';
import { EFFECTS, effectsOf, type Fact } from '../../src/editing/effects.js';
import { writeReasons } from '../../src/editing/judge.js';
import { kindOf } from '../../src/editing/target.js';
import { encode } from '../../src/topo/codec.js';
import type { JsonObject } from '../../src/topo/codec-json.js';
import { messageType } from '../../src/topo/codec-schema.js';
import { KINDS, type Kind } from '../../src/topo/kinds.js';
import { Version } from '../../src/topo/version.js';

const messageOf = (kind: Kind | undefined) => KINDS.find((row) => row.kind === kind)?.message;
const read = KINDS.filter(({ copied, message }) => copied !== false && message !== null);

describe('the table of effects', () => {
  test('names fields that the messages have', () => {
    for (const { kind, fields = [] } of EFFECTS) {
      const message = messageOf(kind);
      const known = typeof message === 'string' ? Object.keys(messageType(message).fields) : [];
      expect(known).toEqual(expect.arrayContaining([...fields]));
    }
  });

  test('says something of the deletion and of the change of every kind that Vitess reads', () => {
    // Nothing has read a Workflow since Vitess 16.
    for (const { kind } of read.filter((row) => row.kind !== 'Workflow'))
      for (const deed of ['update', 'delete'] as const)
        expect(EFFECTS.filter((row) => row.kind === kind && row.on.includes(deed))).not.toEqual([]);
  });

  test('needs no more than it says: every row can be met, and by nothing but what it is about', () => {
    for (const row of EFFECTS) {
      const kind = row.kind ?? 'Keyspace';
      const facts = new Map<Fact, string>(row.fact === undefined ? [] : [[row.fact, 'who']]);
      for (const deed of row.on) {
        const fields = new Set(row.fields?.slice(0, 1));
        const said = row.fact === undefined ? row.reason : `${row.reason}: who`;
        expect(effectsOf({ kind, deed, fields, facts })).toContainEqual({ reason: said, needs: row.needs });
        if (row.fields !== undefined)
          expect(effectsOf({ kind, deed, fields: new Set(['other']), facts })).not.toContainEqual({
            reason: said,
            needs: row.needs,
          });
        if (row.fact !== undefined)
          expect(
            effectsOf({ kind, deed, fields, facts: new Map() }).map(({ reason }) => reason),
          ).not.toContain(said);
      }
    }
  });
});

const TABLET = { alias: { cell: 'z', uid: 1 }, hostname: 'h', keyspace: 'k', shard: '0', type: 'REPLICA' };
const TABLET_PATH = 'tablets/z-0000000001/Tablet';
const SHARD_PATH = 'keyspaces/k/shards/0/Shard';

/** What is said of a record that changes from one state into another, with what it needs. */
function said(scope: string, path: string, before: JsonObject | undefined, after: JsonObject): string[] {
  const { row } = kindOf(scope, path);
  const message = row.message ?? '';
  const value = before && {
    bytes: encode(message, before),
    version: Version.of('s:', '1'),
    ephemeral: false,
  };
  return writeReasons({ scope, path, row, before: value }, encode(message, after)).map(
    ({ reason, needs }) => `${needs}: ${reason}`,
  );
}

describe('what is said of a change', () => {
  const ROWS: readonly (readonly [what: string, lines: () => string[], expected: RegExp[]])[] = [
    [
      'the type of a tablet',
      () => said('z', TABLET_PATH, TABLET, { ...TABLET, type: 'PRIMARY' }),
      [/^yes: gates, VTOrc/],
    ],
    [
      'a blank hostname',
      () => said('z', TABLET_PATH, TABLET, { ...TABLET, hostname: '' }),
      [/^force: a blank/, /^yes: .*does not heal/],
    ],
    [
      'a hostname that was blank',
      () => said('z', TABLET_PATH, { ...TABLET, hostname: '' }, TABLET),
      [/^yes: .*does not heal/],
    ],
    ['tags of a tablet', () => said('z', TABLET_PATH, TABLET, { ...TABLET, tags: { a: 'b' } }), []],
    ['a new tablet', () => said('z', TABLET_PATH, undefined, TABLET), []],
    [
      'the primary of a shard',
      () => said('global', SHARD_PATH, {}, { primary_alias: { cell: 'z', uid: 1 } }),
      [/^yes: a primary that is not named/],
    ],
    [
      'the term of a shard',
      () => said('global', SHARD_PATH, {}, { primary_term_start_time: { seconds: '1' } }),
      [/^yes: a primary that is not named/],
    ],
    [
      'a new shard without primary',
      () => said('global', SHARD_PATH, undefined, { is_primary_serving: true }),
      [],
    ],
    [
      'partitions',
      () => said('z', 'keyspaces/k/SrvKeyspace', {}, { partitions: [{ served_type: 'REPLICA' }] }),
      [/^yes: gates of the cell route/],
    ],
    [
      'routing rules',
      () => said('global', 'RoutingRules', {}, { rules: [{ from_table: 't' }] }),
      [/^nothing: gates see it/],
    ],
  ];
  test.each(ROWS)('%s', (_, lines, expected) => {
    const found = lines();
    expect(found).toHaveLength(expected.length);
    expected.forEach((pattern, index) => {
      expect(found[index]).toMatch(pattern);
    });
  });

  test('that cannot be told, since a record does not decode, is everything', () => {
    const { row } = kindOf('z', TABLET_PATH);
    const before = { bytes: Uint8Array.from([0xff]), version: Version.of('s:', '1'), ephemeral: false };
    const reasons = writeReasons(
      { scope: 'z', path: TABLET_PATH, row, before },
      encode('topodata.Tablet', TABLET),
    );
    expect(reasons.length).toBe(
      EFFECTS.filter(({ kind, on, fact }) => kind === 'Tablet' && on.includes('update') && fact === undefined)
        .length,
    );
  });
});
