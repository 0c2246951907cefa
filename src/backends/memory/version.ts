import { tokenFor, Version } from '../../topo/version.js';

/** Token: the store's own (see the flavours' `token`). */
export function makeVersion(store: string, token: string): Version {
  return Version.of(store, token);
}

/** BadVersion when another store gave the version. null stays null. */
export function readVersion(store: string, version: Version | null, path: string): string | null {
  return version === null ? null : tokenFor(store, version, path);
}
