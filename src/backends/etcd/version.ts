import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { tokenFor, Version } from '../../topo/version.js';

/** The state of a record: that of its file, and that of the VSchemas of all keyspaces where that has a part in it. */
export interface State {
  /** Index of the last change of its own file; undefined: it has none. */
  readonly own: number | undefined;
  readonly shared?: number | undefined;
}

/** Token: the index, decimal, which etcd never gives twice, so that a re-created record is told apart; for a VSchema of both homes `12+40`. */
export function makeVersion(store: string, { own, shared }: State): Version {
  const token = shared === undefined ? String(own) : `${own ?? ''}+${shared}`;
  return Version.of(store, token);
}

/** BadVersion when another store gave the version, or when it is none of this backend's. */
export function readVersion(store: string, version: Version, path: string): State {
  const token = tokenFor(store, version, path);
  const [, own, shared] = /^([1-9]\d{0,15})?(?:\+([1-9]\d{0,15}))?$/.exec(token) ?? [];
  if (own === undefined && shared === undefined)
    throw new TopologyError(ErrorCode.BadVersion, 'the version is not one of etcd’s v2 API', { path, store });
  return { own: numberOf(own), shared: numberOf(shared) };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
