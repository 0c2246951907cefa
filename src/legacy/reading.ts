import type { Derived, Loss, Note } from './losses.js';
import type { Numbering } from './tablet-types.js';

/** A record that is being read, and what is told of it on the way. */
export interface Reading {
  /** Path of the record. */
  readonly path: string;
  readonly numbering: Numbering;
  readonly losses: Loss[];
  readonly derived: Derived[];
  readonly notes: Note[];
}

/** Begins to read a record. */
export function reading(path: string, numbering: Numbering): Reading {
  return { path, numbering, losses: [], derived: [], notes: [] };
}
