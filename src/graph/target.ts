import type { Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/** A version of Vitess. What it writes into derived records differs from version to version. */
export interface Target {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** The newest version whose rebuild is known here. */
export const NEWEST: Target = { major: 24, minor: 0, patch: 0 };
const OLDEST = 2;
/** The last version that reads the retired formats. */
const LAST_OF_OLD: Target = { major: 2, minor: 1, patch: 0 };

/** The version that reads a topology, where nobody says which: the newest, or the last one that knows the form of its store. */
export function usualTarget(global: Pick<Connection, 'capabilities'>): Target {
  return global.capabilities.form === undefined ? NEWEST : LAST_OF_OLD;
}

/** Reads `24`, `16.0.1` or `v21.0.5`. Usage: no version, or none whose rebuild is known. */
export function parseTarget(text: string): Target {
  const [, major, minor = '0', patch = '0'] = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(text) ?? [];
  const target = { major: Number(major), minor: Number(minor), patch: Number(patch) };
  if (major !== undefined && target.major >= OLDEST && target.major <= NEWEST.major) return target;
  throw new TopologyError(
    ErrorCode.Usage,
    `${JSON.stringify(text)} is no version of Vitess that is known here`,
    {
      hint: `give one from ${OLDEST} to ${NEWEST.major}, for example 21 or 16.0.1`,
    },
  );
}

/** Whether a version is `major`.`minor`.`patch` or newer. */
export function isAtLeast(target: Target, major: number, minor = 0, patch = 0): boolean {
  if (target.major !== major) return target.major > major;
  return target.minor !== minor ? target.minor > minor : target.patch >= patch;
}
