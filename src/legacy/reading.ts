import type { Derived, Loss, Note } from '../topo/told.js';

/**
 * Which numbers a store has for types of tablets. `first`: those of 2.0.0-alpha1 to alpha4, in which 1 is IDLE and 2 is MASTER. `current`: those of
 * 2.0.0-alpha5 and everything since.
 */
export type Numbering = 'first' | 'current';

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
