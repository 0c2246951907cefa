import type { Flags } from './flags.js';
import { type Io, json, jsonLine } from './io.js';

/** Where a command puts what it finds, one by one. */
export interface Results<T> {
  add(found: T): void;
  /** Nothing more comes. */
  end(): void;
}

/** Results as --output says: lines for people and `jsonl` at once, `json` as one array at the end. */
export function resultsOf<T>(io: Io, flags: Flags, lines: (found: T) => readonly string[]): Results<T> {
  const all: T[] = [];
  switch (flags['output']) {
    case 'json':
      return { add: (found) => void all.push(found), end: () => io.out(json(all)) };
    case 'jsonl':
      return { add: (found) => io.out(jsonLine(found)), end() {} };
    default:
      return {
        add(found) {
          for (const line of lines(found)) io.out(line);
        },
        end() {},
      };
  }
}
