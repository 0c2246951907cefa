import { backend } from '../../src/backends/etcd/index.js';
import { addressFromTriple } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';

/** The limits of tests, and a root that is the only one Vitess had unless another is given. */
export function connect(
  servers: string,
  root = '/vt',
  settings: Partial<ConnectSettings> = {},
): Promise<Connection> {
  return backend.connect(addressFromTriple('etcd', servers, root), settingsOf(settings));
}

function settingsOf(settings: Partial<ConnectSettings> = {}): ConnectSettings {
  return {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    ...settings,
  };
}

/** What etcd says of a key, in its own words. */
export interface Said {
  readonly action?: string;
  readonly errorCode?: number;
  readonly node?: {
    readonly key: string;
    readonly value?: string;
    readonly dir?: boolean;
    readonly ttl?: number;
    readonly modifiedIndex: number;
    readonly createdIndex: number;
    readonly nodes?: readonly { readonly key: string }[];
  };
}

/** The HTTP API of version 2, with none of the product's code. */
export class V2 {
  readonly #url: () => string;

  /** @param url for example `http://127.0.0.1:2379` */
  constructor(url: () => string) {
    this.#url = url;
  }

  async ask(
    method: 'GET' | 'PUT' | 'DELETE',
    key: string,
    query: Readonly<Record<string, string | number | boolean>> = {},
    form?: Readonly<Record<string, string>>,
  ): Promise<Said> {
    const path = key.split('/').map(encodeURIComponent).join('/');
    const parameters = Object.entries(query).map(([name, value]) => `${name}=${value}`);
    const body = form === undefined ? {} : { body: new URLSearchParams(form) };
    const url = `${this.#url()}/v2/keys${path}?${parameters.join('&')}`;
    const answer = await fetch(url, { method, ...body, signal: AbortSignal.timeout(10_000) });
    return (await answer.json()) as Said;
  }

  /** Writes a file, whatever is there. */
  async put(key: string, value: string): Promise<void> {
    const said = await this.ask('PUT', key, {}, { value });
    if (said.node === undefined) throw new Error(`etcd did not write ${key}: ${JSON.stringify(said)}`);
  }

  /** The value of a file; undefined: there is none. */
  async get(key: string): Promise<string | undefined> {
    return (await this.ask('GET', key, { quorum: true })).node?.value;
  }
}
