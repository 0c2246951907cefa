import { HttpFailure, type HttpFailureDetails } from '../../http/failure.js';
import { takeSockets } from '../../http/sockets.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { Limits } from '../../topo/members.js';
import {
  indexOf,
  listOf,
  Misunderstood,
  numberOf,
  type Pair,
  type TxnAnswer,
  toFound,
  toPair,
  toSessionId,
  toText,
  toTxnAnswer,
  toTxnErrors,
} from './answers.js';
import { Exchange, type ExchangeOptions, Http } from './http.js';
import { readListing } from './listing.js';

/** Consul refuses more than 200 connections of one client (`http_max_conns_per_client`). */
const SOCKETS = { calls: 64, polls: 120 };
/** HTTP status of a transaction that was refused. */
const CONFLICT = 409;
/** Characters of a server's words that are kept: another product's may be a whole page. */
const LONGEST_WORDS = 200;

/** What was found, and `X-Consul-Index`: for a key that exists its own, otherwise that of all that was looked at. */
export interface Found<T> {
  readonly items: T[];
  readonly index: number;
}

/** What is below a key: read out of the answer as it is asked for, once. Ends with HttpFailure where that is none of Consul's. */
export interface Tree {
  readonly groups: Iterable<readonly Pair[]>;
  readonly index: number;
}

/** Which keys to read. Every read is consistent: the leader makes sure that it still leads before it answers. */
export interface KvQuery {
  readonly key: string;
  /** Of keys that go on after it only that beginning is given, once. For listings of keys. */
  readonly separator?: string | undefined;
  /** A blocking query: answered when the index is greater than `index`, and at the latest after `waitMs`. */
  readonly after?: { readonly index: number; readonly waitMs: number } | undefined;
}

/** One operation of a transaction, as Consul's HTTP API spells it. */
export interface KvOp {
  readonly Verb:
    | 'set'
    | 'cas'
    | 'get'
    | 'delete'
    | 'check-index'
    | 'check-session'
    | 'check-not-exists'
    | 'lock';
  readonly Key: string;
  /** Base64. */
  readonly Value?: string;
  readonly Index?: number;
  /** Decimal. */
  readonly Flags?: string;
  readonly Session?: string;
}

export interface SessionSettings {
  readonly ttlMs: number;
  readonly lockDelayMs: number;
}

/** One server of Consul: an agent, which passes requests on to the leader. */
export class Member {
  /** `host:port`. */
  readonly endpoint: string;
  readonly secure: boolean;
  readonly #http: Http;
  readonly #clock: ConnectSettings['clock'];
  readonly #sockets: ReturnType<typeof takeSockets>;

  /** @param server `host:port`, or with `http://` or `https://`; without, TLS is used where `tls` is given */
  constructor(
    server: string,
    { tls, consulToken, clock }: Pick<ConnectSettings, 'tls' | 'consulToken' | 'clock'>,
  ) {
    this.endpoint = server.replace(/^https?:\/\//, '');
    this.secure = server.startsWith('https://') || (tls !== undefined && !server.startsWith('http://'));
    this.#http = new Http(this.endpoint, this.secure, consulToken);
    this.#clock = clock;
    this.#sockets = takeSockets(this.endpoint, this.secure ? (tls ?? {}) : undefined, SOCKETS);
  }

  /** One key, or none. It must be plain ({@link isPlain}), as in all that goes by URL. */
  one(key: string, limits: Limits): Promise<Pair | undefined> {
    return this.#exchange(
      'calls',
      limits,
      ({ kv }, { ctx }) => kv.get({ ctx, key, buffer: true, consistent: true }),
      toFound,
    );
  }

  /** {@link one}, with its index. */
  get(query: KvQuery, limits: Limits): Promise<Found<Pair>> {
    return this.#kv('get', query, limits, toPair);
  }

  /**
   * All keys that begin with `key`, with their values, at one moment, in byte order.
   *
   * @param onAnswer called when the answer begins, which is after that moment
   */
  tree(query: KvQuery, limits: Limits, onAnswer?: () => void): Promise<Tree> {
    return this.#exchange(
      query.after === undefined ? 'calls' : 'polls',
      limits,
      ({ kv }, { ctx }) => kv.get({ ...optionsOf(query, ctx), recurse: true }),
      (_, index, { body }) => ({ groups: this.#listing(body?.pieces ?? []), index: numberOf(index) }),
      { onAnswer, inPieces: true },
    );
  }

  /** All keys that begin with `key`, in byte order. */
  async keys(query: KvQuery, limits: Limits): Promise<Found<string>> {
    try {
      return await this.#kv('keys', query, limits, toText);
    } catch (error) {
      // The package knows an absent key; for an empty listing it is an error.
      if (error instanceof HttpFailure && error.status === 404 && error.index !== undefined)
        return { items: [], index: error.index };
      throw error;
    }
  }

  /** A transaction. One that only reads is to be consistent; Consul tells by its operations which it is. */
  async txn(ops: readonly KvOp[], limits: Limits): Promise<TxnAnswer> {
    const operations = ops.map((op) => ({ KV: op }));
    try {
      return await this.#exchange(
        'calls',
        limits,
        ({ transaction }, { ctx }) => transaction.create(operations, { ctx, consistent: true }),
        toTxnAnswer,
      );
    } catch (error) {
      if (!(error instanceof HttpFailure && error.status === CONFLICT)) throw error;
      const errors = this.#understood(() => toTxnErrors(error.body));
      if (errors.length === 0) throw error;
      return { results: [], errors };
    }
  }

  /** Names of all datacenters that the server knows, its own, as the nearest, first. Needs no right. */
  datacenters(limits: Limits): Promise<string[]> {
    const ask: Work = ({ catalog }, options) => catalog.datacenters({ ...options });
    return this.#exchange('calls', limits, ask, (body) => listOf(body).map(toText));
  }

  /** Makes a session whose keys are deleted when it ends; its id. */
  createSession({ ttlMs, lockDelayMs }: SessionSettings, limits: Limits): Promise<string> {
    return this.#exchange(
      'calls',
      limits,
      ({ session }, options) =>
        session.create({
          ...options,
          name: 'topo2topo',
          // Not bound to the health of the node that made it: the session can be kept alive through any other.
          checks: [],
          behavior: 'delete',
          ttl: `${Math.ceil(ttlMs)}ms`,
          lockdelay: `${Math.ceil(lockDelayMs)}ms`,
        }),
      toSessionId,
    );
  }

  /** False when there is no such session any more. */
  async renewSession(id: string, limits: Limits): Promise<boolean> {
    try {
      const renew: Work = ({ session }, options) => session.renew({ ...options, id });
      return await this.#exchange('calls', limits, renew, () => true);
    } catch (error) {
      if (error instanceof HttpFailure && error.status === 404) return false;
      throw error;
    }
  }

  /** Ends a session, and with it the keys that it holds. Does nothing when there is none. */
  destroySession(id: string, limits: Limits): Promise<void> {
    const destroy: Work = ({ session }, options) => session.destroy({ ...options, id });
    return this.#exchange('calls', limits, destroy, () => undefined);
  }

  /** Idempotent. Calls in flight are their callers' to cancel first. */
  close(): void {
    this.#sockets.release();
  }

  #kv<T>(
    method: 'get' | 'keys',
    query: KvQuery,
    limits: Limits,
    toItem: (raw: unknown) => T,
  ): Promise<Found<T>> {
    return this.#exchange(
      query.after === undefined ? 'calls' : 'polls',
      limits,
      ({ kv }, { ctx }) => kv[method](optionsOf(query, ctx)),
      (body, index) => ({ items: listOf(body).map(toItem), index: numberOf(index) }),
    );
  }

  *#listing(pieces: Buffer[]): Generator<readonly Pair[], void> {
    try {
      yield* readListing(pieces);
    } catch (error) {
      throw this.#misread(error);
    }
  }

  /** Sends one request, once. `toAnswer` gets the answer's body, where the package decodes it, and its `X-Consul-Index`. */
  #exchange<T>(
    sockets: 'calls' | 'polls',
    limits: Limits,
    work: Work,
    toAnswer: (body: unknown, index: string | undefined, exchange: Exchange) => T,
    options: ExchangeOptions = {},
  ): Promise<T> {
    if (limits.signal.aborted) return Promise.reject(this.#failure({ sent: false, text: 'cancelled' }));
    const exchange = new Exchange(this.#sockets.sockets[sockets], limits, this.#clock, options);
    return this.#http.run(exchange, work).then(
      (body) => {
        exchange.end();
        const headers = exchange.response?.headers;
        if (headers?.['x-consul-results-filtered-by-acls'] === 'true')
          throw this.#failure({ sent: true, status: 403, text: 'some keys are left out' });
        return this.#understood(() => toAnswer(body, indexOf(headers), exchange));
      },
      (error: unknown) => {
        exchange.end();
        // The package's own error is not kept: it holds the request, and that the token.
        throw this.#failure(described(error, exchange));
      },
    );
  }

  /** What `read` makes of an answer; a failure when that is none that Consul gives. */
  #understood<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#misread(error);
    }
  }

  #misread(error: unknown): unknown {
    if (!(error instanceof Misunderstood)) return error;
    return this.#failure({ sent: true, text: 'an answer that is not Consul’s', foreign: true });
  }

  #failure(failure: Omit<HttpFailureDetails, 'endpoint'>): HttpFailure {
    return new HttpFailure({ ...failure, endpoint: this.endpoint });
  }
}

type Work = Parameters<Http['run']>[1];

/** One object, not several put together: of what is done here for a read nothing else takes as long. */
function optionsOf({ key, separator, after }: KvQuery, ctx: Exchange): Record<string, unknown> {
  const options: Record<string, unknown> = { ctx, key, buffer: true, consistent: true };
  if (separator !== undefined) options.separator = separator;
  if (after !== undefined) {
    options.index = after.index;
    options.wait = `${Math.ceil(after.waitMs)}ms`;
  }
  return options;
}

/** What the server answered, where it did. */
function described(
  error: unknown,
  { response, body: pieces, sent, late }: Exchange,
): Omit<HttpFailureDetails, 'endpoint'> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const text = error instanceof Error ? error.message : String(error);
  if (response?.complete !== true) return { sent, late, code, text };
  const { body = pieces && Buffer.concat(pieces.pieces), statusCode: status } = response;
  const words = typeof body === 'string' || Buffer.isBuffer(body) ? body.toString().trim() : text;
  const index = indexOf(response.headers);
  return {
    sent,
    late,
    status,
    text: words.slice(0, LONGEST_WORDS),
    body: status === CONFLICT ? body : undefined,
    index: index === undefined ? undefined : Number(index),
  };
}
