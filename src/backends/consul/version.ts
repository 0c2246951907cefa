import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { tokenFor, Version } from '../../topo/version.js';

export function makeVersion(store: string, modifyIndex: number): Version {
  return new IndexVersion(store, modifyIndex);
}

/**
 * Token: the record's ModifyIndex, decimal; made when it is asked for, as few of a scan's versions are. Consul never gives an
 * index twice, so a re-created record is told apart. Writing the same bytes again changes nothing, and keeps it.
 */
class IndexVersion extends Version {
  readonly modifyIndex: number;

  constructor(store: string, modifyIndex: number) {
    super(store);
    this.modifyIndex = modifyIndex;
  }

  override get token(): string {
    return String(this.modifyIndex);
  }
}

/** ModifyIndex of a version. BadVersion when another store gave the version, or when it is none of this backend's. */
export function readVersion(store: string, version: Version, path: string): number {
  if (version instanceof IndexVersion && version.store === store) return version.modifyIndex;
  const token = tokenFor(store, version, path);
  // An index of 0 would be that of a record that does not exist.
  if (/^[1-9]\d{0,15}$/.test(token) && Number.isSafeInteger(Number(token))) return Number(token);
  throw new TopologyError(ErrorCode.BadVersion, 'the version is not one of Consul', { path, store });
}
