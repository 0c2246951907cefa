/**
 * The part of the `zookeeper` package that is used: its `.native` object, whose calls return at once with a code and call
 * back with the answer. When the code is not 0 the callback is never called.
 */

import { type Stat, ZkCode, ZooKeeperError } from './client.js';

/** A znode's Stat as the addon gives it. */
export interface NativeStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: Date;
  readonly mtime: Date;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly dataLength: number;
  readonly numChildren: number;
  /** Hexadecimal; "0" for containers and TTL nodes as well. */
  readonly ephemeralOwner: string;
}

/** Answers: code, text, then what the operation gives. */
type Callback<T extends readonly unknown[]> = (code: number, text: string, ...rest: T) => void;
/** Session events come here too, with type -1. */
export type NativeWatch = (type: number, state: number, path: string) => void;

/** Calls of the addon. Each returns a code. `a_get_acl` is left out: its failure ends the process. */
export interface NativeCalls {
  /** Gives an Error, and no event, when a name does not resolve. */
  init(config: object): unknown;
  readonly client_id: string;
  readonly client_password: string;
  /** Milliseconds of the session's time-out. */
  readonly timeout: number;
  a_create(path: string, data: Buffer, flags: number, callback: Callback<[path: string]>): number;
  a_delete_(path: string, version: number, callback: Callback<[]>): number;
  a_exists(path: string, watch: boolean, callback: Callback<[stat: NativeStat]>): number;
  aw_exists(path: string, watch: NativeWatch, callback: Callback<[stat: NativeStat]>): number;
  a_get(path: string, watch: boolean, callback: Callback<[stat: NativeStat, data: Buffer | null]>): number;
  aw_get(
    path: string,
    watch: NativeWatch,
    callback: Callback<[stat: NativeStat, data: Buffer | null]>,
  ): number;
  a_get_children2(
    path: string,
    watch: boolean,
    callback: Callback<[names: string[], stat: NativeStat]>,
  ): number;
  aw_get_children2(
    path: string,
    watch: NativeWatch,
    callback: Callback<[names: string[], stat: NativeStat]>,
  ): number;
  a_set(path: string, data: Buffer, version: number, callback: Callback<[stat: NativeStat]>): number;
  a_set_acl(
    path: string,
    version: number,
    acl: readonly { readonly perm: number; readonly scheme: string; readonly auth: string }[],
    callback: Callback<[]>,
  ): number;
  a_sync(path: string, callback: Callback<[path: string]>): number;
  add_auth(scheme: string, auth: string, callback: Callback<[]>): number;
}

/** One handle of the addon: one session, which cannot be used again after it has ended. */
export interface NativeHandle {
  readonly native: NativeCalls;
  close(): unknown;
  on(event: 'connect' | 'connecting', listener: () => void): unknown;
  on(event: 'close', listener: (handle: unknown, code: number) => void): unknown;
}

/** Makes handles. */
export type NativeAddon = new (config: object) => NativeHandle;

/** Loads the addon. Unsupported when the package is not installed, or was not compiled. */
export async function loadAddon(): Promise<NativeAddon> {
  // Not a literal, so that the project compiles where the optional package is missing.
  const name: string = 'zookeeper';
  let loaded: unknown;
  try {
    loaded = await import(name);
  } catch (cause) {
    const hint = 'it is optional, and its installation needs python3, make and a C++ compiler';
    throw new ZooKeeperError(ZkCode.Unsupported, `the package ${name} cannot be loaded (${hint})`, { cause });
  }
  const addon =
    typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined;
  if (!isAddon(addon)) {
    throw new ZooKeeperError(ZkCode.Unsupported, `the package ${name} is not the one this client knows`);
  }
  return addon;
}

function isAddon(value: unknown): value is NativeAddon {
  return typeof value === 'function' && typeof value.prototype?.init === 'function';
}

export function toStat(stat: NativeStat): Stat {
  return {
    czxid: BigInt(stat.czxid),
    mzxid: BigInt(stat.mzxid),
    ctime: stat.ctime.getTime(),
    mtime: stat.mtime.getTime(),
    version: stat.version,
    cversion: stat.cversion,
    aversion: stat.aversion,
    ephemeralOwner: BigInt.asIntN(64, BigInt(`0x${stat.ephemeralOwner}`)),
    dataLength: stat.dataLength,
    numChildren: stat.numChildren,
    pzxid: BigInt(stat.pzxid),
  };
}

/** The addon takes `Buffer` only; without data it would store the text "null". */
export function toBuffer(data: Uint8Array | null): Buffer {
  if (data === null) return Buffer.alloc(0);
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length);
}
