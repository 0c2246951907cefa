import { decodeProblem } from '../topo/codec.js';
import { diffRecords, type FieldDifference } from '../topo/diff.js';
import { printable } from './lists.js';

/** Fields in which two records of a message differ; undefined: one of them does not decode. */
export function differencesOf(message: string, a: Uint8Array, b: Uint8Array): FieldDifference[] | undefined {
  if (decodeProblem(message, a) !== undefined || decodeProblem(message, b) !== undefined) return undefined;
  return diffRecords(message, a, b);
}

/** {@link differencesOf} as lines. */
export function differenceLines(message: string, a: Uint8Array, b: Uint8Array): string[] | undefined {
  return differencesOf(message, a, b)?.map(fieldLine);
}

/** One difference as a line; of long values the beginning. */
export function fieldLine({ path, a, b }: FieldDifference): string {
  return `    ${printable(path)}: ${beginning(a ?? '(absent)')} → ${beginning(b ?? '(absent)')}`;
}

/** A VSchema has more than a screen holds. */
const SHOWN = 400;

function beginning(value: string): string {
  if (value.length <= SHOWN) return printable(value);
  const rest = (value.length - SHOWN).toLocaleString('en-US');
  return `${printable(value.slice(0, SHOWN))}… (${rest} characters more; cat or --output json show all)`;
}
