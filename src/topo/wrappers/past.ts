import { isDeepStrictEqual } from 'node:util';
import { ErrorCode, isTopologyError, type TopologyError } from '../errors.js';

/** What a read came to: an answer, or the news that there is nothing. */
export type Outcome<T> = { readonly answer: T } | { readonly nothing: TopologyError };

/** The outcome of a read; any failure but NoNode is thrown. */
export async function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { answer: await work };
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return { nothing: error };
    throw error;
  }
}

/** The answer of a read, or NoNode thrown. */
export function answerOf<T>(outcome: Outcome<T>): T {
  if ('nothing' in outcome) throw outcome.nothing;
  return outcome.answer;
}

/** Keeps, for each path, the last two outcomes that differ. */
export class Past<T> {
  readonly #states = new Map<
    string,
    { readonly last: Outcome<T>; readonly before: Outcome<T> | undefined }
  >();

  /** Adds the present outcome. Gives the one that was true before it, as far as is known. */
  note(path: string, outcome: Outcome<T>): Outcome<T> | undefined {
    const known = this.#states.get(path);
    if (known !== undefined && same(known.last, outcome)) return known.before;
    this.#states.set(path, { last: outcome, before: known?.last });
    return known?.last;
  }
}

function same<T>(a: Outcome<T>, b: Outcome<T>): boolean {
  return 'answer' in a && 'answer' in b
    ? isDeepStrictEqual(a.answer, b.answer)
    : 'nothing' in a && 'nothing' in b;
}
