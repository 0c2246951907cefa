import { ErrorCode, isTopologyError, TopologyError } from '../../topo/errors.js';
import { checkPath } from '../../topo/paths.js';

/** What Consul takes in a URL, on the safe side: it refuses what its Unicode tables do not know as printable. */
const PLAIN = /^[\x20-\x7e]*$/;
const PLAIN_HEAD = /^[\x20-\x7e]*/;

/** Keys of one root: root/path. */
export class Keys {
  readonly #store: string;
  readonly #prefix: string;

  constructor(store: string, root: string) {
    this.#store = store;
    this.#prefix = `${root}/`;
  }

  /** Key of a record. */
  key(path: string): string {
    return this.#prefix + path;
  }

  /** What the keys below a directory begin with. */
  below(directory: string): string {
    return this.#prefix + (directory === '' ? '' : `${directory}/`);
  }

  /**
   * A key in a directory that no record has, since it ends with a slash: any right to read the directory covers it, and
   * while a key does not exist Consul gives the index of the whole store for it.
   */
  nobody(directory: string): string {
    return `${this.below(directory)}-/`;
  }

  /** Path of a record. Corrupt when the key cannot be a path: somebody else's, in the midst of the topology. */
  path(key: string): string {
    try {
      return checkPath(key.slice(this.#prefix.length), 'record', this.#store);
    } catch (error) {
      throw this.illegal(key, error);
    }
  }

  illegal(key: string, cause?: unknown): TopologyError {
    const message = `Consul holds the key ${JSON.stringify(key)} below the root: not a legal path`;
    return new TopologyError(ErrorCode.Corrupt, message, {
      store: this.#store,
      hint: 'it was not written by Vitess: look at it with consul kv get, and delete it with consul kv delete, without -recurse',
      cause: isTopologyError(cause) ? undefined : cause,
    });
  }
}

/** Whether a key can stand in a URL. Transactions take all keys. */
export function isPlain(key: string): boolean {
  return PLAIN.test(key);
}

/** The longest beginning of a key that can stand in a URL. */
export function plainHead(key: string): string {
  return PLAIN_HEAD.exec(key)?.[0] ?? '';
}

/** Whether a key is a folder as Consul's web page makes them: a mark, no record, and empty. */
export function isFolder(key: string): boolean {
  return key.endsWith('/');
}
