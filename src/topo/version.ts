import { ErrorCode, TopologyError } from './errors.js';

/**
 * The state of one record in one store, as the store named it: opaque to everybody but the backend that made it.
 *
 * A version names its store, and a store refuses a version of another store with BadVersion instead of comparing it.
 * `token` is the backend's own text: ZooKeeper's holds the data version and the czxid (a re-created record starts
 * its data version at 0 again), etcd's the mod revision, Consul's the ModifyIndex. A backend whose records share a
 * node, or are spread over several, puts all parts into the token.
 */
export class Version {
  /** {@link Connection.store} of the connection that gave it. */
  readonly store: string;
  readonly token: string;

  constructor(store: string, token: string) {
    this.store = store;
    this.token = token;
  }

  /** Same store, same state. */
  equals(other: Version): boolean {
    return this.store === other.store && this.token === other.token;
  }

  /** One text for plans and journals; {@link Version.parse} reads it. */
  toString(): string {
    return `${this.token}@${this.store}`;
  }

  static parse(text: string): Version {
    const at = text.indexOf('@');
    if (at <= 0) throw new TopologyError(ErrorCode.Usage, `not a version: ${JSON.stringify(text)}`);
    return new Version(text.slice(at + 1), text.slice(0, at));
  }
}

/** Token of `version` for the store that is to compare it. BadVersion when another store gave it. */
export function tokenFor(store: string, version: Version, path: string): string {
  if (version.store !== store) {
    throw new TopologyError(
      ErrorCode.BadVersion,
      `the version was given by another store, ${version.store}`,
      {
        path,
        store,
      },
    );
  }
  return version.token;
}
