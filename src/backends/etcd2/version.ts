import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { tokenFor, Version } from '../../topo/version.js';

/** Token: the record's mod revision, decimal. etcd never gives one twice, so a re-created record is told apart. */
export function makeVersion(store: string, modRevision: string): Version {
  return Version.of(store, modRevision);
}

/** Mod revision of a version. BadVersion when another store gave the version, or when it is none of this backend's. */
export function readVersion(store: string, version: Version, path: string): string {
  const token = tokenFor(store, version, path);
  // A mod revision of 0 would be equal to that of a record that does not exist.
  if (/^[1-9]\d{0,18}$/.test(token)) return token;
  throw new TopologyError(ErrorCode.BadVersion, 'the version is not one of etcd', { path, store });
}
