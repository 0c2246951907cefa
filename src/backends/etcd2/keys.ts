import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { checkPath } from '../../topo/paths.js';

/** A half-open range of keys, as etcd's requests name it. */
export interface KeyRange {
  readonly key: Buffer;
  readonly range_end: Buffer;
}

/** `0`, which follows `/`: what comes after all keys of a directory. */
const AFTER_SLASH = 0x30;

/** Keys of one root: path.Join(root, path), in UTF-8. */
export class Keys {
  readonly root: string;
  readonly #store: string;
  readonly #prefix: string;
  readonly #prefixBytes: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(store: string, root: string) {
    this.root = root;
    this.#store = store;
    this.#prefix = `${root}/`;
    this.#prefixBytes = Buffer.byteLength(this.#prefix);
  }

  /** Key of a record. */
  key(path: string): Buffer {
    return Buffer.from(this.name(path));
  }

  /** The same as text. */
  name(path: string): string {
    return this.#prefix + path;
  }

  /** First key that a directory could have: no record, but any right to read the directory covers it. */
  first(directory: string): Buffer {
    return Buffer.from(this.#prefix + (directory === '' ? '' : `${directory}/`));
  }

  /** All keys below a directory. */
  below(directory: string): KeyRange {
    const key = this.first(directory);
    const end = Buffer.from(key);
    end[end.length - 1] = AFTER_SLASH;
    return { key, range_end: end };
  }

  /** Path of a record, by its key: these bytes, or a part of them. Corrupt when the key cannot be a path: somebody else's, in the midst of the topology. */
  path(bytes: Buffer, from = 0, to = bytes.length): string {
    try {
      return checkPath(this.#decode(bytes, from + this.#prefixBytes, to), 'record', this.#store);
    } catch (error) {
      throw this.illegal(bytes.subarray(from, to), error);
    }
  }

  /** Text of a part of a key. Corrupt when it is not UTF-8. */
  text(key: Buffer, from: number): string {
    try {
      return this.#decode(key, from);
    } catch (error) {
      throw this.illegal(key, error);
    }
  }

  /** A Buffer puts U+FFFD where it is not UTF-8, and is several times as fast as the decoder that tells. */
  #decode(bytes: Buffer, from: number, to = bytes.length): string {
    const text = bytes.toString('utf8', from, to);
    return text.includes('\ufffd') ? this.#decoder.decode(bytes.subarray(from, to)) : text;
  }

  illegal(key: Buffer, cause?: unknown): TopologyError {
    const why = isTopologyError(cause) ? 'not a legal path' : 'not UTF-8';
    return new TopologyError(ErrorCode.Corrupt, `etcd holds the key ${show(key)} below the root: ${why}`, {
      store: this.#store,
      hint: 'it was not written by Vitess: look at it with etcdctl, and rename or delete it',
      cause,
    });
  }
}

/** The key that follows `key` directly. */
export function after(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.of(0)]);
}

function show(key: Buffer): string {
  return JSON.stringify(key.toString('latin1'));
}
