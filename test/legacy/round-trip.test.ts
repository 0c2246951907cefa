import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJsonText } from '../../src/legacy/json-text.js';
import { OLD_MESSAGES, type OldKind, type OldRecord } from '../../src/legacy/places.js';
import { readOld } from '../../src/legacy/read.js';
import { writeOld } from '../../src/legacy/write.js';
import { decode, encode } from '../../src/topo/codec.js';
import { messageType } from '../../src/topo/codec-schema.js';
import { NotHeld } from '../../src/topo/told.js';
import { arbitraryRecord } from '../topo/arbitrary-record.js';
import { fullRecord } from '../verify/full-record.js';
import { heldPart } from './held.js';

const KINDS: readonly OldKind[] = [
  ...(['Keyspace', 'VSchema', 'Shard', 'Tablet', 'ShardReplication', 'SrvKeyspace', 'SrvVSchema'] as const),
  ...(['SrvShard', 'EndPoints'] as const),
];
const record = (kind: OldKind): OldRecord => ({ kind, path: `a/${kind}`, cell: undefined });
const STRICT = { numbering: 'current', accepted: new Set<never>() } as const;
const READ = { numbering: 'current' } as const;

/** A field that no schema has yet: its number, and the field with a value of three bytes as it is in a record. */
const NUMBER_TO_COME = 9_999;
const TO_COME = Buffer.of(0xfa, 0xf0, 0x04, 3, 1, 2, 3);

describe.each(KINDS)('%s', (kind) => {
  const message = OLD_MESSAGES[kind];
  const type = messageType(message);

  test('comes back from JSON equal field by field', () => {
    const records = arbitraryRecord(type).map((json) => heldPart(type, json).held);
    fc.assert(
      fc.property(records, (json) => {
        const bytes = encode(message, json);
        const { value, losses } = writeOld(record(kind), bytes, STRICT);
        const back = readOld(record(kind), value, READ);
        expect(losses).toEqual([]);
        expect(back.losses).toEqual([]);
        expect(back.generation).toBe(Object.keys(readJsonText(value)).length === 0 ? undefined : 2);
        expect(decode(message, back.bytes ?? Buffer.from('none'))).toEqual(decode(message, bytes));
      }),
      { numRuns: 60 },
    );
  });

  test('whatever later fields it has, and fields of versions to come, exactly these are refused, and the rest comes back', () => {
    const accepted = new Set(['newer-field'] as const);
    fc.assert(
      fc.property(arbitraryRecord(type), fc.boolean(), (json, isOfVersionToCome) => {
        const { held, newer } = heldPart(type, json);
        const bytes = Buffer.concat([encode(message, json), isOfVersionToCome ? TO_COME : Buffer.of()]);
        const { value, losses } = writeOld(record(kind), bytes, { ...STRICT, accepted });
        const expected = isOfVersionToCome ? [...newer, `#${NUMBER_TO_COME}`] : newer;
        expect(losses.map(({ field }) => field).sort()).toEqual(expected.sort());
        expect(new Set(losses.map((loss) => loss.kind))).toEqual(
          new Set(expected.length === 0 ? [] : accepted),
        );
        const refused = thrownBy(() => writeOld(record(kind), bytes, STRICT));
        expect(refused?.losses ?? []).toEqual(losses);
        const back = readOld(record(kind), value, READ);
        expect(decode(message, back.bytes ?? Buffer.from('none')).json).toEqual(
          decode(message, encode(message, held)).json,
        );
      }),
      { numRuns: 60 },
    );
  });

  test('with every field there is, exactly the later ones are refused, by path and value', () => {
    const full = fullRecord(type);
    const { held, newer } = heldPart(type, full);
    const refused = thrownBy(() => writeOld(record(kind), encode(message, full), STRICT));
    expect(refused?.losses.map(({ field }) => field).sort() ?? []).toEqual(newer.sort());
    if (newer.length > 0) {
      expect(refused).toMatchObject({ code: 'Unsupported', path: `a/${kind}` });
      expect(refused?.message).toContain(refused?.losses[0]?.field);
    }
    const accepted = new Set(['newer-field'] as const);
    const { value } = writeOld(record(kind), encode(message, full), { ...STRICT, accepted });
    const back = readOld(record(kind), value, READ);
    expect(decode(message, back.bytes ?? Buffer.from('none')).json).toEqual(
      decode(message, encode(message, held)).json,
    );
  });
});

function thrownBy(work: () => unknown): NotHeld | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof NotHeld) return error;
    throw error;
  }
}
