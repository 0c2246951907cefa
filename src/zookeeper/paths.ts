import { CreateMode } from './client.js';
import { badArguments } from './errors.js';

/** An empty segment, or the character that ends a name. */
const BROKEN = /\/\/|\0/;

/**
 * Throws BadArguments for a path that is none. Servers are not asked: some versions answer such a path with NoNode, some
 * read it as another one. Which characters and segments are allowed beyond this is the server's own rule.
 *
 * @param sequential the server appends a number, so that a slash at the end is no mistake
 */
export function checkPath(path: string, sequential = false): void {
  const whole = sequential ? `${path}0` : path;
  if (!isPath(whole)) throw badArguments(`${JSON.stringify(path)} is no path of a node`, path);
}

/** Absolute, no empty segment, no slash at the end except of the root. One expression for all would take twice the time. */
function isPath(text: string): boolean {
  if (!text.startsWith('/') || (text.endsWith('/') && text !== '/')) return false;
  return !BROKEN.test(text) && text.isWellFormed();
}

/** Whether the server appends a number to the path. */
export function isSequential(mode: CreateMode | undefined): boolean {
  return mode === CreateMode.PersistentSequential || mode === CreateMode.EphemeralSequential;
}
