import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { tokenFor, Version } from '../../topo/version.js';

/**
 * Token: the record's ModifyIndex, decimal. Consul never gives one twice, so a re-created record is told apart. Writing
 * the same bytes again changes nothing, and keeps it.
 */
export function makeVersion(store: string, modifyIndex: number): Version {
  return Version.of(store, String(modifyIndex));
}

/** ModifyIndex of a version. BadVersion when another store gave the version, or when it is none of this backend's. */
export function readVersion(store: string, version: Version, path: string): number {
  const token = tokenFor(store, version, path);
  // An index of 0 would be that of a record that does not exist.
  if (/^[1-9]\d{0,15}$/.test(token) && Number.isSafeInteger(Number(token))) return Number(token);
  throw new TopologyError(ErrorCode.BadVersion, 'the version is not one of Consul', { path, store });
}
