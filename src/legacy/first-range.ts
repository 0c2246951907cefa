import type { JsonObject } from '../topo/codec-json.js';
import { isTopologyError } from '../topo/errors.js';
import { formatKeyRange, type KeyRange, keyRangeOfShard } from '../topo/names.js';
import type { FirstObject } from './first-object.js';
import { misfit } from './second-scalars.js';

/**
 * The KeyRange of an object, in canonical JSON; undefined: none. Its ends are hex, in either case. An empty range is none, or, where
 * the shard's name is `-`, the whole. Where range and name do not fit, both are carried over, and a note says so.
 */
export function firstRange(object: FirstObject, shard: string): JsonObject | undefined {
  const { reading } = object;
  const at = object.at('KeyRange');
  const range = storedRange(object);
  const named = rangeOfName(shard);
  if (named === 'illegal') {
    const text = `${JSON.stringify(shard)} is no name of a shard`;
    reading.notes.push({ path: reading.path, field: at, text });
  } else if (named !== undefined || range !== undefined) {
    const [own, of] = [shownRange(range), shownRange(named)];
    if (own !== of) {
      const text = `the key range is ${own}, and the shard is called ${JSON.stringify(shard)}`;
      reading.notes.push({ path: reading.path, field: at, text });
    }
  }
  if (range !== undefined) return rangeJson(range);
  return named !== undefined && named !== 'illegal' && shownRange(named) === '-' ? {} : undefined;
}

/** The range as stored; undefined: absent, or empty at both ends. */
export function storedRange(object: FirstObject): KeyRange | undefined {
  const inner = object.object('KeyRange');
  if (inner === undefined) return undefined;
  const range = { start: hex(inner, 'Start'), end: hex(inner, 'End') };
  inner.rest();
  return range.start.length === 0 && range.end.length === 0 ? undefined : range;
}

/** A range in canonical JSON. */
export function rangeJson({ start, end }: KeyRange): JsonObject {
  return {
    ...(start.length > 0 ? { start: Buffer.from(start).toString('base64') } : {}),
    ...(end.length > 0 ? { end: Buffer.from(end).toString('base64') } : {}),
  };
}

function hex(range: FirstObject, name: 'Start' | 'End'): Uint8Array {
  const text = range.text(name);
  if (!/^(?:[0-9a-f]{2})*$/i.test(text))
    throw misfit(range.at(name), 'hex is wanted, two digits for each byte');
  // The first versions wrote the end of all keys as 64 bytes of ff.
  return name === 'End' && text.toLowerCase() === 'ff'.repeat(64)
    ? new Uint8Array()
    : Buffer.from(text, 'hex');
}

function rangeOfName(shard: string): KeyRange | undefined | 'illegal' {
  try {
    return keyRangeOfShard(shard);
  } catch (error) {
    if (isTopologyError(error)) return 'illegal';
    throw error;
  }
}

function shownRange(range: KeyRange | undefined): string {
  return range === undefined ? '-' : formatKeyRange(range);
}
