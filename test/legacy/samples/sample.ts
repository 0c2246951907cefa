import type { JsonObject } from '../../../src/topo/codec-json.js';
import type { LegacyNode } from '../../support/fixtures.js';

/** Nodes by path: an object is its JSON, null no data, text itself. */
export type Sample = Readonly<Record<string, JsonObject | string | null>>;

/** The nodes of a sample as a store holds them. */
export function nodesOf(sample: Sample): LegacyNode[] {
  return Object.entries(sample).map(([path, value]) => {
    if (value === null) return { path, value };
    return { path, value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value, null, 2)) };
  });
}
