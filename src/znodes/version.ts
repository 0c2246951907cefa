import { ErrorCode, TopologyError } from '../topo/errors.js';
import { tokenFor, Version } from '../topo/version.js';
import type { Stat } from '../zookeeper/client.js';

/** A version as ZooKeeper knows it. The czxid tells a re-created znode, whose data version starts at 0 again. */
export type ZnodeVersion = Pick<Stat, 'version' | 'czxid'>;

export function makeVersion(store: string, version: ZnodeVersion): Version {
  return new StatVersion(store, version);
}

/** Token: `<data version>:<czxid>`, both decimal. What it says is read when it is asked for, as few of a scan's versions are. */
class StatVersion extends Version {
  readonly #of: ZnodeVersion;

  constructor(store: string, of: ZnodeVersion) {
    super(store);
    this.#of = of;
  }

  get version(): number {
    return this.#of.version;
  }

  get czxid(): bigint {
    return this.#of.czxid;
  }

  override get token(): string {
    return `${this.version}:${this.czxid}`;
  }
}

/** BadVersion when another store gave the version, or when it is none of this backend's. */
export function readVersion(store: string, version: Version, path: string): ZnodeVersion {
  if (version instanceof StatVersion && version.store === store) return version;
  const match = /^(\d{1,10}):(\d{1,20})$/.exec(tokenFor(store, version, path));
  if (match === null)
    throw new TopologyError(ErrorCode.BadVersion, 'the version is not one of ZooKeeper', { path, store });
  return { version: Number(match[1]), czxid: BigInt(match[2] ?? '') };
}

export function sameVersion(a: ZnodeVersion, b: ZnodeVersion): boolean {
  return a.version === b.version && a.czxid === b.czxid;
}
