import { after, type KeyRange } from './keys.js';
import type { RecordPage } from './record-page.js';

/** Records of the first page, and bounds of the later ones. */
const FIRST = 256;
const MOST = 20_000;
export const PAGE_BYTES = 4 * 1024 * 1024;
/** Bytes of a key that are taken for a number, from two before those in which keys differ. */
const JUDGED = 12;

/** What a page is asked for: at most so many records of a range. */
export interface Asked {
  readonly range: KeyRange;
  readonly limit: number;
}

/** What is to be known of a page to ask for the next one. */
export type Answered = Pick<RecordPage, 'first' | 'last' | 'size' | 'bytes' | 'more'>;

/** The first page of a range. */
export function firstOf(range: KeyRange): Asked {
  return { range, limit: FIRST };
}

/**
 * The page of `all` that comes after an answer; undefined: there is none. Of a range that it is asked for, etcd walks over all keys, however few it gives:
 * over those that remain of a million in more time than a page takes. So a page is asked for in a range that is likely to hold hardly more.
 */
export function nextOf(all: KeyRange, { range, limit }: Asked, answered: Answered): Asked | undefined {
  const { first, last, size, more } = answered;
  if (!more || first === undefined || last === undefined) {
    const rest = { key: range.range_end, range_end: all.range_end };
    return rest.key.equals(rest.range_end) ? undefined : { range: rest, limit };
  }
  const following = limitAfter(limit, answered);
  const range_end = size < FIRST ? all.range_end : likelyEnd(all, first, last, (2 * following) / size);
  return { range: { key: after(last), range_end }, limit: following };
}

/** So many records that the page has about {@link PAGE_BYTES}; sizes may change, so it grows step by step. */
function limitAfter(limit: number, { size, bytes }: Answered): number {
  const fitting = Math.floor((PAGE_BYTES * size) / Math.max(1, bytes));
  return Math.max(1, Math.min(MOST, 4 * limit, fitting));
}

/** So far behind `last` as it is from `first`, so many `times`; the end of `all` where that comes first. A wrong guess costs a request. */
function likelyEnd(all: KeyRange, first: Buffer, last: Buffer, times: number): Buffer {
  const start = Math.max(0, commonBytes(first, last) - 2);
  const numberOf = (key: Buffer) =>
    BigInt(`0x${Buffer.concat([key.subarray(start)], JUDGED).toString('hex')}`);
  const step = (numberOf(last) - numberOf(first)) * BigInt(Math.ceil(times));
  const digits = (numberOf(last) + step + 1n).toString(16).padStart(2 * JUDGED, '0');
  if (digits.length > 2 * JUDGED) return all.range_end;
  const end = Buffer.concat([last.subarray(0, start), Buffer.from(digits, 'hex')]);
  return Buffer.compare(end, all.range_end) < 0 ? end : all.range_end;
}

function commonBytes(a: Buffer, b: Buffer): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}
