import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { addressFromTriple } from '../../topo/address.js';
import { type GivenAddress, givenTriple, parseGiven } from '../addresses.js';
import { parseDuration } from '../durations.js';
import { secretFile } from '../files.js';
import { usage } from '../flags.js';
import type { Env } from '../io.js';
import { type Product, productOf } from '../side-flags.js';
import { type ConfigDocument, type Path, readDocument } from './document.js';
import { expand } from './expand.js';
import { about, problem } from './problem.js';
import { checkSchema } from './schema.js';

/** A secret, and where it comes from, which may be shown. */
export interface Secret {
  readonly value: string;
  /** `${NAME}`, or the name of a file. */
  readonly source: string;
}

/** One side of a migration file, read and checked: `${NAME}` is replaced, names of files are absolute. */
export interface SideConfig {
  readonly address: GivenAddress;
  /** Undefined: nothing to log in to. */
  readonly product: Product | undefined;
  readonly tls: Readonly<Partial<Record<TlsPart, string>>> | undefined;
  readonly user: { readonly username: string; readonly password: Secret } | undefined;
  readonly token: Secret | undefined;
  /** By scope. */
  readonly tokens: ReadonlyMap<string, Secret>;
  readonly authFile: string | undefined;
  readonly cells: ReadonlyMap<string, { readonly server: string; readonly root: string }>;
  /** Bytes, as the flag takes them. */
  readonly juteMaxbuffer: string | undefined;
  /** Durations as the flags take them. */
  readonly times: Readonly<Partial<Record<TimeName, string>>>;
}

export const TLS_PARTS = ['ca', 'cert', 'key', 'serverName'] as const;
export type TlsPart = (typeof TLS_PARTS)[number];
export const TIME_NAMES = ['lockTtl', 'lockDelay', 'watchPoll'] as const;
export type TimeName = (typeof TIME_NAMES)[number];

const MAXBUFFER = 'juteMaxbuffer';

/** A migration file, read and checked. */
export interface Config {
  readonly file: string;
  readonly from: SideConfig | undefined;
  readonly to: SideConfig | undefined;
  /** Root of cells that are new on the destination. */
  readonly cellRoot: string | undefined;
  /** Flags by name. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * Reads a migration file. Usage, with line and column, for what is not YAML, what the published schema refuses, variables that
 * are not set, and what makes no sense; nothing is connected to. No value of the file is in a message, but for addresses.
 */
export function readConfig(file: string, env: Env): Config {
  const document = readDocument(file);
  checkSchema(document);
  const reader = new Reader(document, env);
  const top = mapping(document.value);
  return {
    file,
    from: reader.side('from'),
    to: reader.side('to'),
    cellRoot: reader.text(['cells', 'root']),
    options: mapping(top['options']),
  };
}

/** Which of `auth`'s keys a product understands. */
const AUTH_KEYS: Readonly<Record<Product, readonly string[]>> = {
  etcd: ['username', 'password'],
  zk: ['username', 'password', 'file'],
  consul: ['token', 'tokens', 'file'],
};

/** Which times a product has. */
const PRODUCT_TIMES: Readonly<Record<Product, readonly TimeName[]>> = {
  etcd: ['lockTtl'],
  zk: ['lockTtl'],
  consul: ['lockTtl', 'lockDelay', 'watchPoll'],
};

class Reader {
  readonly #document: ConfigDocument;
  readonly #env: Env;
  readonly #folder: string;

  constructor(document: ConfigDocument, env: Env) {
    this.#document = document;
    this.#env = env;
    this.#folder = dirname(resolve(document.file));
  }

  side(name: 'from' | 'to'): SideConfig | undefined {
    if (this.#value([name]) === undefined) return undefined;
    const address = this.#address([name]);
    const product = productOf(address.implementation);
    for (const key of ['tls', 'auth', MAXBUFFER, ...TIME_NAMES]) {
      if (product === undefined && this.#value([name, key]) !== undefined)
        throw this.#wrong([name, key], `${address.implementation} has no such thing`);
    }
    return {
      address,
      product,
      tls: this.#tls([name, 'tls']),
      ...this.#auth([name, 'auth'], product),
      cells: this.#cells([name, 'cells'], address),
      juteMaxbuffer: this.#maxbuffer([name, MAXBUFFER], product),
      times: this.#times([name], product),
    };
  }

  /** A text, expanded; undefined when absent. A number is the text that would give it. */
  text(path: Path): string | undefined {
    const value = this.#value(path);
    return value === undefined ? undefined : expand(this.#document, path, String(value), this.#env);
  }

  #address(path: Path): GivenAddress {
    if (typeof this.#value(path) === 'string') return this.#url(path);
    const parts = ['implementation', 'server', 'root'].map((part) => [...path, part]);
    const given = parts.filter((part) => this.#value(part) !== undefined);
    if (this.#value([...path, 'address']) !== undefined) {
      const [other] = given;
      if (other === undefined) return this.#url([...path, 'address']);
      throw this.#wrong(other, 'address says that already');
    }
    const [implementation, server, root] = parts.map((part) => this.text(part));
    const found = this.#addressed(path, () => givenTriple(implementation, server, root, this.#folder));
    if (found === undefined) throw this.#wrong(path, 'give address, or implementation, server and root');
    return this.#absolute(found);
  }

  #url(path: Path): GivenAddress {
    const text = this.text(path) ?? '';
    return this.#addressed(path, () => this.#absolute(parseGiven(text, this.#folder)));
  }

  #absolute(address: GivenAddress): GivenAddress {
    if ('file' in address || address.implementation !== 'file') return address;
    return { ...address, server: resolve(this.#folder, address.server) };
  }

  #tls(path: Path): SideConfig['tls'] {
    if (this.#value(path) === undefined) return undefined;
    const parts: Partial<Record<TlsPart, string>> = {};
    for (const part of TLS_PARTS) {
      const at = [...path, part];
      const text = part === 'serverName' ? this.text(at) : this.#file(at);
      if (text !== undefined) parts[part] = text;
    }
    return parts;
  }

  #auth(
    path: Path,
    product: Product | undefined,
  ): Pick<SideConfig, 'user' | 'token' | 'tokens' | 'authFile'> {
    const allowed: readonly string[] = product === undefined ? [] : AUTH_KEYS[product];
    const given = Object.keys(mapping(this.#value(path)));
    const foreign = given.find((key) => !allowed.includes(key));
    if (foreign !== undefined) throw this.#wrong([...path, foreign], `this side takes ${allowed.join(', ')}`);
    if (given.includes('file') && given.length > 1)
      throw this.#wrong([...path, 'file'], 'the file says everything: give nothing beside it');
    const username = this.text([...path, 'username']);
    const password = this.#secret([...path, 'password']);
    const file = this.#file([...path, 'file']);
    const scopes = Object.keys(mapping(this.#value([...path, 'tokens'])));
    return {
      user: username === undefined || password === undefined ? undefined : { username, password },
      token: this.#secret([...path, 'token']),
      tokens: new Map(
        scopes.flatMap((scope) => {
          const secret = this.#secret([...path, 'tokens', scope]);
          return secret === undefined ? [] : [[scope, secret] as const];
        }),
      ),
      authFile: file,
    };
  }

  #cells(path: Path, global: GivenAddress): SideConfig['cells'] {
    const cells = new Map<string, { server: string; root: string }>();
    for (const cell of Object.keys(mapping(this.#value(path)))) {
      const server = this.text([...path, cell, 'server']) ?? '';
      const root = this.text([...path, cell, 'root']) ?? '';
      const address = this.#addressed([...path, cell], () =>
        addressFromTriple(global.implementation, server, root),
      );
      cells.set(cell, { server: address.server, root: address.root });
    }
    return cells;
  }

  #maxbuffer(path: Path, product: Product | undefined): string | undefined {
    const text = this.text(path);
    if (text !== undefined && product !== 'zk') throw this.#wrong(path, 'only ZooKeeper has such a thing');
    return text;
  }

  #times(path: Path, product: Product | undefined): SideConfig['times'] {
    const times: Partial<Record<TimeName, string>> = {};
    for (const name of TIME_NAMES) {
      const at = [...path, name];
      const text = this.text(at);
      if (text === undefined || product === undefined) continue;
      if (!PRODUCT_TIMES[product].includes(name)) throw this.#wrong(at, 'only Consul has such a thing');
      this.#about(at, () => parseDuration(text, 'this'));
      times[name] = text;
    }
    return times;
  }

  #secret(path: Path): Secret | undefined {
    const value = this.#value(path);
    if (value === undefined) return undefined;
    if (typeof value === 'string')
      return { value: expand(this.#document, path, value, this.#env), source: value };
    const file = this.#file([...path, 'file']) ?? '';
    return { value: this.#about(path, () => secretFile(file)), source: file };
  }

  /** The name of a file. A name made of variables is in no message until there is such a file: it may be a secret itself. */
  #file(path: Path): string | undefined {
    const name = this.text(path);
    if (name === undefined) return undefined;
    const file = resolve(this.#folder, name);
    if (this.#hasVariables(path) && !existsSync(file))
      throw this.#wrong(path, 'with the variables that it names there is no such file');
    return file;
  }

  #hasVariables(path: Path): boolean {
    return JSON.stringify(this.#value(path)).includes('${');
  }

  #value(path: Path): unknown {
    return path.reduce<unknown>((value, key) => mapping(value)[key], this.#document.value);
  }

  #about<T>(path: Path, work: () => T): T {
    return about(this.#document.file, this.#document.locate(path), path.join('.'), work);
  }

  /** An address that cannot be read is shown, but for what the environment says: it may be a secret. */
  #addressed<A>(path: Path, read: () => A): A {
    return this.#about(path, () => {
      try {
        return read();
      } catch (error) {
        if (!this.#hasVariables(path)) throw error;
        throw usage('with the variables that it names this is no address', 'look at what they hold');
      }
    });
  }

  #wrong(path: Path, message: string) {
    const { file } = this.#document;
    return problem(file, this.#document.locate(path, 'key'), `${path.join('.')}: ${message}`);
  }
}

/** The keys of a mapping; none for what is no mapping. */
function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
