import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encode, fieldsOrProblem } from '../../src/topo/codec.js';
import { Glance } from '../../src/topo/codec-glance.js';
import { messageType } from '../../src/topo/codec-schema.js';
import { KINDS } from '../../src/topo/kinds.js';
import { inAscii, mutated } from './altered.js';
import { arbitraryRecord } from './arbitrary-record.js';

const MESSAGES = [...new Set(KINDS.flatMap(({ message }) => message ?? []))];
const TABLET = 'topodata.Tablet';
const ASKED = ['keyspace', 'shard'];

const plain = {
  alias: { cell: 'zone1', uid: 100 },
  hostname: 'host-100',
  port_map: { vt: 15_100, grpc: 16_100 },
  keyspace: 'commerce',
  shard: '-80',
  key_range: { end: 'gA==' },
  type: 'REPLICA',
  tags: { a: 'b' },
  mysql_port: -1,
  primary_term_start_time: { seconds: '1700000000', nanoseconds: 5 },
};

/** What decoding says, in the form of a glance; undefined: it does not decode. */
function decoded(message: string, names: readonly string[], bytes: Uint8Array) {
  const fields = fieldsOrProblem(message, bytes);
  return typeof fields === 'string' ? undefined : names.map((name) => fields[name] || undefined);
}

describe('a glance at a record', () => {
  test('tells what a plain record says', () => {
    const glance = new Glance(TABLET, ASKED);
    expect(glance.at(encode(TABLET, plain))).toEqual(['commerce', '-80']);
    expect(glance.at(encode(TABLET, { ...plain, shard: '' }))).toEqual(['commerce', undefined]);
    expect(glance.at(new Uint8Array())).toEqual([undefined, undefined]);
    expect(glance.at(Buffer.from(encode(TABLET, plain)))).toEqual(['commerce', '-80']);
  });

  test('leaves to the decoder what is not plain', () => {
    const glance = new Glance(TABLET, ASKED);
    const bytes = encode(TABLET, plain);
    expect(glance.at(encode(TABLET, { ...plain, hostname: 'é' }))).toBeUndefined();
    expect(glance.at(Buffer.concat([bytes, Buffer.of(0xf8, 0x07, 1)]))).toBeUndefined();
    expect(glance.at(bytes.subarray(0, -1))).toBeUndefined();
  });

  test.each(MESSAGES)('never says of a %s what decoding does not', (message) => {
    const type = messageType(message);
    const names = type.fieldsArray.flatMap(({ name, type: held, repeated, map, partOf }) =>
      held === 'string' && !repeated && !map && !partOf ? [name] : [],
    );
    const glance = new Glance(message, names);
    const bytes = arbitraryRecord(type)
      .chain((json) => fc.constantFrom(json, inAscii(json), inAscii(json)))
      .map((json) => encode(message, json))
      .chain((whole) => fc.oneof(fc.constant(whole), mutated(whole)));
    let told = 0;
    fc.assert(
      fc.property(bytes, (each) => {
        const texts = glance.at(each);
        if (texts === undefined) return;
        told += 1;
        expect(texts).toEqual(decoded(message, names, each));
      }),
      { numRuns: 200 },
    );
    expect(told).toBeGreaterThan(20);
  });

  test('never takes a plain record for whole whose bytes were altered so that it is none', () => {
    const glance = new Glance(TABLET, ASKED);
    let refused = 0;
    fc.assert(
      fc.property(mutated(encode(TABLET, plain)), (bytes) => {
        const texts = glance.at(bytes);
        const expected = decoded(TABLET, ASKED, bytes);
        if (expected === undefined) refused += 1;
        if (texts !== undefined) expect(texts).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});
