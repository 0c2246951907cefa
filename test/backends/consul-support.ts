import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { backend } from '../../src/backends/consul/index.js';
import { addressFromTriple } from '../../src/topo/address.js';
import type { ConnectSettings } from '../../src/topo/backend.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Connection } from '../../src/topo/connection.js';

const execute = promisify(execFile);

/** Connects to a root on Consul servers, with the time limits of tests where `settings` names none. */
export function connect(
  servers: string,
  root = 'vitess/global',
  settings: Partial<ConnectSettings> = {},
): Promise<Connection> {
  return backend.connect(addressFromTriple('consul', servers, root), {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    ...settings,
  });
}

/** What Consul's lock API writes into the flags of a lock's key. */
export const LOCK_FLAGS = '3304740253564472344';

/** Consul's HTTP API as curl speaks it: no code of ours, and no JavaScript numbers, which lose bits of the flags. */
export class Curl {
  readonly #api: string;
  readonly #token: string | undefined;

  /** @param api for example `http://127.0.0.1:8500` */
  constructor(api: string, token?: string) {
    this.#api = api;
    this.#token = token;
  }

  /** The answer's body. A server that answers with an error is no failure. */
  async ask(method: 'GET' | 'PUT' | 'DELETE', path: string, body?: string): Promise<string> {
    const token = this.#token === undefined ? [] : ['--header', `X-Consul-Token: ${this.#token}`];
    const data = body === undefined ? [] : ['--data-raw', body];
    const args = ['--silent', '--show-error', '--globoff', '--max-time', '30', '--request', method];
    const options = { maxBuffer: 1 << 26 };
    return (await execute('curl', [...args, ...token, ...data, `${this.#api}/v1/${path}`], options)).stdout;
  }

  /** Writes a key, given as it stands in a URL. */
  async put(key: string, value: string): Promise<void> {
    const answer = await this.ask('PUT', `kv/${key}`, value);
    if (answer.trim() !== 'true') throw new Error(`Consul did not write ${key}: ${answer}`);
  }

  /** Makes a session; its id. */
  async session(settings: Readonly<Record<string, string>> = {}): Promise<string> {
    const answer = await this.ask('PUT', 'session/create', JSON.stringify(settings));
    const id = /"ID":"([^"]+)"/.exec(answer)?.[1];
    if (id === undefined) throw new Error(`Consul made no session: ${answer}`);
    return id;
  }

  /** Takes a key for a session, as Consul's lock API does; false when it is held. */
  async acquire(key: string, session: string, value: string, flags = LOCK_FLAGS): Promise<boolean> {
    const answer = await this.ask('PUT', `kv/${urlOf(key)}?acquire=${session}&flags=${flags}`, value);
    return answer.trim() === 'true';
  }

  /** Key, value (base64), flags and session of all keys that begin with `prefix`, by Consul's own JSON. */
  async tree(prefix: string): Promise<{ key: string; value: string; flags: string; session: string }[]> {
    const text = await this.ask('GET', `kv/${urlOf(prefix)}?recurse`);
    if (text.trim() === '') return [];
    const answer: unknown = JSON.parse(text.replace(/"Flags":(\d+)/g, '"Flags":"$1"'));
    if (!Array.isArray(answer)) throw new Error(`Consul listed nothing: ${text}`);
    return answer.map(({ Key, Value, Flags, Session }) => ({
      key: Key,
      value: Value ?? '',
      flags: Flags,
      session: Session ?? '',
    }));
  }
}

/** A key as it stands in a URL. */
export function urlOf(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
