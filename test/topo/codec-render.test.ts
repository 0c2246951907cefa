import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../src/topo/codec.js';
import { renderJson } from '../../src/topo/codec-render.js';
import { messageType } from '../../src/topo/codec-schema.js';
import { ErrorCode, isTopologyError } from '../../src/topo/errors.js';
import { KINDS } from '../../src/topo/kinds.js';
import { inAscii, mutated } from './altered.js';
import { arbitraryRecord } from './arbitrary-record.js';

const MESSAGES = [...new Set(KINDS.flatMap(({ message }) => message ?? []))];

/** The text, or why there is none. */
function outcome(render: () => string): string {
  try {
    return render();
  } catch (error) {
    if (isTopologyError(error, ErrorCode.Corrupt)) return error.message;
    throw error;
  }
}

describe('a record as JSON text', () => {
  test.each(MESSAGES)('is what its JSON says, for a %s, whatever its bytes are', (message) => {
    const type = messageType(message);
    const bytes = arbitraryRecord(type)
      .chain((json) => fc.constantFrom(json, inAscii(json)))
      .map((json) => encode(message, json))
      .chain((whole) => fc.oneof(fc.constant(whole), mutated(whole)));
    fc.assert(
      fc.property(bytes, (each) => {
        expect(outcome(() => renderJson(message, each))).toBe(
          outcome(() => JSON.stringify(decode(message, each).json)),
        );
      }),
      { numRuns: 120 },
    );
  });

  test('puts maps, lists and defaults where JSON puts them', () => {
    const tablet = {
      alias: { cell: 'zone1' },
      port_map: { vt: 1, grpc: 2, '10': 3, '9': 4 },
      tags: { z: '', a: '"', m: '\\' },
      key_range: {},
      type: 'PRIMARY',
      primary_term_start_time: { seconds: '-1' },
    };
    const bytes = encode('topodata.Tablet', tablet);
    expect(renderJson('topodata.Tablet', bytes)).toBe(JSON.stringify(decode('topodata.Tablet', bytes).json));
    const plain = encode('topodata.Tablet', {
      ...tablet,
      port_map: { vt: 1, grpc: 2 },
      tags: { z: '', a: 'b' },
    });
    expect(JSON.parse(renderJson('topodata.Tablet', plain))).toMatchObject({ tags: { a: 'b', z: '' } });
  });
});
