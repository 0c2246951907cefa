import pLimit from 'p-limit';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { compareBytewise } from '../topo/paths.js';
import type { OperationOptions, Stat, ZooKeeperClient } from '../zookeeper/client.js';
import { toTopologyError } from './error.js';
import type { Route } from './route.js';

/** Requests in flight of what asks for many znodes. */
const IN_FLIGHT = 64;

/** A znode and its Stat. */
export interface Znode {
  readonly path: string;
  readonly stat: Stat;
}

/** Servers that a session is open to. */
export interface OpenEnsemble {
  /** For messages. */
  readonly store: string;
  readonly client: ZooKeeperClient;
}

/** Znodes by their whole paths, whichever servers have them. Whatever fails is a TopologyError. */
export class Znodes {
  readonly store: string;
  readonly signal: AbortSignal;
  readonly #route: Route;
  readonly #ensembleOf: (path: string) => Promise<OpenEnsemble>;

  constructor(route: Route, ensembleOf: (path: string) => Promise<OpenEnsemble>, signal: AbortSignal) {
    this.store = route.store;
    this.signal = signal;
    this.#route = route;
    this.#ensembleOf = ensembleOf;
  }

  /** A request that changes nothing. */
  read<T>(
    path: string,
    work: (client: ZooKeeperClient, options: OperationOptions) => Promise<T>,
  ): Promise<T> {
    return this.#ask(path, 'read', work);
  }

  /** A request that changes something, on the servers that have `path`: OutcomeUnknown when its answer is lost. */
  write<T>(
    path: string,
    work: (client: ZooKeeperClient, options: OperationOptions) => Promise<T>,
  ): Promise<T> {
    return this.#ask(path, 'write', work);
  }

  /** Names of the children, in byte order, and the Stat of the znode. */
  async children(path: string): Promise<{ readonly names: string[]; readonly stat: Stat }> {
    const { children, stat } = await this.read(path, (client, options) => client.getChildren(path, options));
    const names = this.#route.namesBelow(path) ?? children;
    return { names: names.toSorted(compareBytewise), stat };
  }

  /** Undefined: there is no such znode. */
  async stat(path: string): Promise<Stat | undefined> {
    return (await this.read(path, (client, options) => client.exists(path, options))).stat;
  }

  /** Everything below a znode, in byte order, without those that go away meanwhile. */
  async below(path: string): Promise<Znode[]> {
    const found: Znode[] = [];
    const childrenOf = (at: string, names: readonly string[]) => names.map((name) => joinZnode(at, name));
    let level = childrenOf(path, (await this.children(path)).names);
    while (level.length > 0) {
      const next: string[] = [];
      await this.each(level, async (child) => {
        const seen = await unlessAbsent(this.children(child));
        if (seen === undefined) return;
        found.push({ path: child, stat: seen.stat });
        for (const each of childrenOf(child, seen.names)) next.push(each);
      });
      level = next;
    }
    return found.sort((a, b) => compareBytewise(a.path, b.path));
  }

  /** Does the same with many, some at a time. Ends with the first failure. */
  async each<I>(items: readonly I[], work: (item: I) => Promise<void>): Promise<void> {
    const limit = pLimit(IN_FLIGHT);
    await Promise.all(items.map((item) => limit(() => work(item))));
  }

  async #ask<T>(
    path: string,
    kind: 'read' | 'write',
    work: (client: ZooKeeperClient, options: OperationOptions) => Promise<T>,
  ): Promise<T> {
    const { client, store } = await this.#ensembleOf(path);
    try {
      return await work(client, { signal: this.signal });
    } catch (error) {
      throw toTopologyError(store, error, path, kind);
    }
  }
}

/** What `work` resolves to; undefined when there is no such znode. */
export async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode)) return undefined;
    throw error;
  }
}

/** The path of a child. */
export function joinZnode(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}
