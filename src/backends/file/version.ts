import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { tokenFor, Version } from '../../topo/version.js';

/**
 * What a version says: the change that made the state, which no other change of this file ever is, and a digest of the
 * bytes, for the case that another file takes its place.
 */
export interface EntryVersion {
  readonly change: number;
  readonly digest: string;
}

/** Token: `<number of the change>:<digest>`, the latter 32 hexadecimal digits. */
export function makeVersion(store: string, { change, digest }: EntryVersion): Version {
  return Version.of(store, `${change}:${digest}`);
}

/** BadVersion when another store gave the version, or when it is none of this backend's. */
export function readVersion(store: string, version: Version, path: string): EntryVersion {
  const match = /^(\d{1,16}):([0-9a-f]{32})$/.exec(tokenFor(store, version, path));
  if (match === null)
    throw new TopologyError(ErrorCode.BadVersion, 'the version is not one of a topology file', {
      path,
      store,
    });
  return { change: Number(match[1]), digest: match[2] ?? '' };
}

export function sameVersion(a: EntryVersion, b: EntryVersion): boolean {
  return a.change === b.change && a.digest === b.digest;
}
