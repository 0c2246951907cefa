import { CreateMode } from './client.js';
import { badArguments } from './errors.js';

/** Absolute, no empty segment, no slash at the end except of the root. */
const PATH = /^\/(?:[^/\0]+(?:\/[^/\0]+)*)?$/;

/**
 * Throws BadArguments for a path that is none. Servers are not asked: some versions answer such a path with NoNode, some
 * read it as another one. Which characters and segments are allowed beyond this is the server's own rule.
 *
 * @param sequential the server appends a number, so that a slash at the end is no mistake
 */
export function checkPath(path: string, sequential = false): void {
  const whole = sequential ? `${path}0` : path;
  if (!PATH.test(whole) || !whole.isWellFormed()) {
    throw badArguments(`${JSON.stringify(path)} is no path of a node`, path);
  }
}

/** Whether the server appends a number to the path. */
export function isSequential(mode: CreateMode | undefined): boolean {
  return mode === CreateMode.PersistentSequential || mode === CreateMode.EphemeralSequential;
}
