import type { HttpReply } from '../../http/exchange.js';
import { HttpFailure, type HttpFailureDetails } from '../../http/failure.js';
import { HttpServer, type ServerRequest } from '../../http/server.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { Limits } from '../../topo/members.js';
import { type Answer, errorCodeOf, field, indexOf, isRefusal, Misunderstood, toNode } from './answers.js';

/** etcd has no limit of its own; each watch holds a socket. */
const SOCKETS = { calls: 64, polls: 1_024 };
/** Characters of a server's words that are kept: another product's may be a whole page. */
const LONGEST_WORDS = 200;

/** Under which condition a write is done. */
export interface Condition {
  /** False: nothing is there. */
  readonly prevExist?: boolean;
  /** It is a file that was changed last at this index. */
  readonly prevIndex?: number;
}

export interface PutOptions extends Condition {
  /** Seconds until it goes away, unless it is put or refreshed again. */
  readonly ttl?: number | undefined;
}

/** How a file is kept from going away. */
export interface RefreshOptions {
  readonly ttl: number;
  readonly prevIndex: number;
}

export interface RemoveOptions extends Condition {
  /** An empty directory, and no file. */
  readonly dir?: boolean;
}

/** What to read of a key. */
export interface ReadOptions {
  /** Of a directory all that is below it. */
  readonly recursive?: boolean;
  /** What this server knows, which may be old. Default: what the cluster agrees on. */
  readonly local?: boolean;
}

/** What to wait for. */
export interface WaitOptions {
  readonly recursive?: boolean;
  /** Index of the first change that counts, which may be past. */
  readonly from: number;
}

/** One server of etcd, through the HTTP API of version 2. */
export class Member {
  readonly #server: HttpServer;

  /** @param server as {@link HttpServer} takes it */
  constructor(server: string, settings: Pick<ConnectSettings, 'tls' | 'etcdAuth' | 'clock'>) {
    const { etcdAuth } = settings;
    const headers = etcdAuth === undefined ? {} : { Authorization: basic(etcdAuth) };
    this.#server = new HttpServer(server, settings, { sockets: SOCKETS, headers });
  }

  /** `host:port`. */
  get endpoint(): string {
    return this.#server.endpoint;
  }

  get secure(): boolean {
    return this.#server.secure;
  }

  /** What is at a key. A directory with what is directly in it, but for what is hidden, in no order. */
  get(key: string, { recursive = false, local = false }: ReadOptions, limits: Limits): Promise<Answer> {
    return this.#ask('GET', key, { recursive, quorum: !local }, limits);
  }

  /** Writes a file, making the directories above it. */
  put(key: string, value: string, options: PutOptions, limits: Limits): Promise<Answer> {
    const { ttl, ...condition } = options;
    const body = new URLSearchParams({ value, ...(ttl === undefined ? {} : { ttl: String(ttl) }) });
    return this.#ask('PUT', key, { ...condition }, limits, body.toString());
  }

  /** Gives a file another time to live; nobody who waits for its changes hears of it. */
  refresh(key: string, { ttl, prevIndex }: RefreshOptions, limits: Limits): Promise<Answer> {
    const body = new URLSearchParams({ ttl: String(ttl), refresh: 'true' });
    return this.#ask('PUT', key, { prevIndex, prevExist: true }, limits, body.toString());
  }

  /** Deletes a file, or an empty directory. */
  remove(key: string, options: RemoveOptions, limits: Limits): Promise<Answer> {
    return this.#ask('DELETE', key, { ...options }, limits);
  }

  /**
   * The first change of a key from an index on; with `recursive` of what is below it, too, but for hidden keys whose change is yet to come.
   * A node that is undefined: nothing came, and the server will say nothing more.
   */
  wait(key: string, { recursive = false, from }: WaitOptions, limits: Limits): Promise<Answer> {
    return this.#ask('GET', key, { wait: true, recursive, waitIndex: from }, limits);
  }

  /** What stands at another path of the server than that of the keys, in JSON. */
  async told(path: string, limits: Limits): Promise<unknown> {
    const reply = await this.#server.exchange({ method: 'GET', path }, limits);
    if (reply.status === 200) return this.#understood(() => parse(reply.body));
    throw this.#answered(reply);
  }

  close(): void {
    this.#server.close();
  }

  async #ask(
    method: ServerRequest['method'],
    key: string,
    parameters: Readonly<Record<string, string | number | boolean>>,
    limits: Limits,
    form?: string,
  ): Promise<Answer> {
    const query = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
    const path = `/v2/keys${key.split('/').map(encodeURIComponent).join('/')}?${query.join('&')}`;
    const body = form === undefined ? undefined : { type: 'application/x-www-form-urlencoded', text: form };
    const isPoll = parameters['wait'] === true;
    const reply = await this.#server.exchange({ method, path, body, isPoll }, limits);
    const json = this.#jsonOf(reply);
    const code = errorCodeOf(json);
    if (isRefusal(code)) return this.#understood(() => ({ ...told(reply), node: undefined, refused: code }));
    if (reply.status >= 300) throw this.#answered(reply);
    return this.#understood(() => {
      const node = json === undefined ? undefined : toNode(field(json, 'node'));
      return { ...told(reply), node, refused: undefined };
    });
  }

  /** Undefined: no JSON, or nothing at all, as a wait ends with whose server goes away. */
  #jsonOf({ status, body }: HttpReply): unknown {
    if (body.length === 0) return undefined;
    if (status < 300) return this.#understood(() => parse(body));
    try {
      return parse(body);
    } catch {
      return undefined;
    }
  }

  #answered({ status, body }: HttpReply): HttpFailure {
    return this.#failure({ sent: true, status, text: body.toString().trim().slice(0, LONGEST_WORDS) });
  }

  /** What `read` makes of an answer; a failure when that is none that etcd gives. */
  #understood<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Misunderstood)) throw error;
      throw this.#failure({ sent: true, text: 'an answer that is not etcd’s', foreign: true });
    }
  }

  #failure(failure: Omit<HttpFailureDetails, 'endpoint'>): HttpFailure {
    return new HttpFailure({ ...failure, endpoint: this.endpoint });
  }
}

function basic({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function told(reply: HttpReply): Pick<Answer, 'index' | 'cluster'> {
  return {
    index: indexOf(reply.header('x-etcd-index')),
    cluster: reply.header('x-etcd-cluster-id') ?? '',
  };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new Misunderstood('no JSON');
  }
}
