import { ErrorCode, TopologyError } from './errors.js';

/**
 * The state of one record in one store, as the store named it: opaque to everybody but the backend that made it.
 *
 * A version names its store, and a store refuses a version of another store with BadVersion instead of comparing it.
 */
export abstract class Version {
  /** {@link Connection.store} of the connection that gave it. */
  readonly store: string;
  /**
   * The backend's own text: ZooKeeper's holds the data version and the czxid (a re-created record starts its data
   * version at 0 again), etcd's the mod revision, Consul's the ModifyIndex. A backend whose records share a node, or
   * are spread over several, puts all parts into it.
   */
  abstract readonly token: string;

  constructor(store: string) {
    this.store = store;
  }

  /** Same store, same state. */
  equals(other: Version): boolean {
    return this.store === other.store && this.token === other.token;
  }

  /** One text for plans and journals; {@link Version.parse} reads it. */
  toString(): string {
    return `${this.token}@${this.store}`;
  }

  /** The version that `store` calls `token`. */
  static of(store: string, token: string): Version {
    return new TextVersion(store, token);
  }

  static parse(text: string): Version {
    const at = text.indexOf('@');
    if (at <= 0) throw new TopologyError(ErrorCode.Usage, `not a version: ${JSON.stringify(text)}`);
    return Version.of(text.slice(at + 1), text.slice(0, at));
  }
}

class TextVersion extends Version {
  override readonly token: string;

  constructor(store: string, token: string) {
    super(store);
    this.token = token;
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
