import fc from 'fast-check';
import type { JsonObject } from '../../src/topo/codec-json.js';

/** The same record with other characters in place of those that are not ASCII. */
export function inAscii(json: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(json).replace(/[^ -~]+/g, 'x'));
}

/** Bytes with some of them changed, taken away, put in, or cut off. */
export function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat({ max: Math.max(0, bytes.byteLength - 1) }),
    taken: fc.nat({ max: 3 }),
    put: fc.array(fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 8, 10, 18, 127, 128, 255)), {
      maxLength: 3,
    }),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const changed = [...bytes];
    for (const { at, taken, put } of changes) changed.splice(at, taken, ...put);
    return Uint8Array.from(changed);
  });
}
