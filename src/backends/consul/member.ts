import { STATUS_CODES } from 'node:http';
import type { HttpReply } from '../../http/exchange.js';
import { HttpFailure, type HttpFailureDetails } from '../../http/failure.js';
import { HttpServer, type ServerRequest } from '../../http/server.js';
import type { ConnectSettings } from '../../topo/backend.js';
import type { Limits } from '../../topo/members.js';
import {
  listOf,
  Misunderstood,
  numberOf,
  type Pair,
  type TxnAnswer,
  toSessionId,
  toText,
  toTxnAnswer,
  toTxnErrors,
} from './answers.js';
import { Api, type Work } from './api.js';
import { decodeBody } from './body.js';
import { readAll, readListing } from './listing.js';
import type { Patience } from './patience.js';

/** Consul refuses more than 200 connections of one client (`http_max_conns_per_client`). */
const SOCKETS = { calls: 64, polls: 120 };
/** HTTP status of a transaction that was refused. */
const CONFLICT = 409;
/** Characters of a server's words that are kept: another product's may be a whole page. */
const LONGEST_WORDS = 200;

/** HTTP status of a key, or of a session, that does not exist, and of a listing of nothing. */
const NOT_FOUND = 404;

const API = new Api();

/** What is expected of an answer. */
interface Expected {
  /** An HTTP status with which it tells what was asked for, beside those of success. */
  readonly also?: number;
  /** Whether it is given whoever asks. */
  readonly withoutToken?: boolean;
}

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

/** One server of Consul, an agent, which passes requests on to the leader: its HTTP API. */
export class Member {
  readonly #server: HttpServer;
  readonly #patience: Patience;

  /** @param server as {@link HttpServer} takes it */
  constructor(
    server: string,
    settings: Pick<ConnectSettings, 'tls' | 'consulToken' | 'clock'>,
    patience: Patience,
  ) {
    const { consulToken } = settings;
    this.#patience = patience;
    const headers = consulToken === undefined ? {} : { 'X-Consul-Token': consulToken };
    this.#server = new HttpServer(server, settings, { sockets: SOCKETS, headers });
  }

  /** `host:port`. */
  get endpoint(): string {
    return this.#server.endpoint;
  }

  get secure(): boolean {
    return this.#server.secure;
  }

  /** One key, or none. It must be plain ({@link isPlain}), as in all that goes by URL. */
  one(key: string, limits: Limits): Promise<Pair | undefined> {
    return this.#ask(readOf({ key }), limits, oneOf, { also: NOT_FOUND });
  }

  /** {@link one}, with its index. */
  get(query: KvQuery, limits: Limits): Promise<Found<Pair>> {
    const found = (reply: HttpReply) => ({ items: pairsOf(reply), index: indexOf(reply) });
    return this.#ask(readOf(query), limits, found, { also: NOT_FOUND });
  }

  /**
   * All keys that begin with `key`, with their values, at one moment, in byte order.
   *
   * @param onAnswer called when the answer begins, which is after that moment
   */
  tree(query: KvQuery, limits: Limits, onAnswer?: () => void): Promise<Tree> {
    const request = { ...readOf(query, '&recurse'), onAnswer };
    const found = (reply: HttpReply) => ({ groups: this.#listing(piecesOf(reply)), index: indexOf(reply) });
    return this.#ask(request, limits, found, { also: NOT_FOUND });
  }

  /** All keys that begin with `key`, in byte order. */
  keys(query: KvQuery, limits: Limits): Promise<Found<string>> {
    const found = (reply: HttpReply) => {
      const items = reply.status === NOT_FOUND ? [] : listOf(decodeBody(reply.body)).map(toText);
      return { items, index: indexOf(reply) };
    };
    return this.#ask(readOf(query, '&keys'), limits, found, { also: NOT_FOUND });
  }

  /** A transaction. One that only reads is to be consistent; Consul tells by its operations which it is. */
  txn(ops: readonly KvOp[], limits: Limits): Promise<TxnAnswer> {
    const operations = ops.map((op) => ({ KV: op }));
    const read = (reply: HttpReply) => {
      if (reply.status !== CONFLICT) return toTxnAnswer(decodeBody(reply.body));
      const errors = toTxnErrors(decodeBody(reply.body));
      if (errors.length === 0) throw this.#refused(reply);
      return { results: [], errors };
    };
    const sent = API.transact(operations, (request) => this.#server.exchange(request, limits));
    return this.#answered(sent, read, { also: CONFLICT });
  }

  /** Names of all datacenters that the server knows, its own, as the nearest, first. Needs no right. */
  datacenters(limits: Limits): Promise<string[]> {
    const ask: Work = ({ catalog }, options) => catalog.datacenters({ ...options });
    const read = (reply: HttpReply) => listOf(decodeBody(reply.body)).map(toText);
    return this.#call(ask, limits, read, { withoutToken: true });
  }

  /** Makes a session whose keys are deleted when it ends; its id. */
  createSession({ ttlMs, lockDelayMs }: SessionSettings, limits: Limits): Promise<string> {
    const create: Work = ({ session }, options) =>
      session.create({
        ...options,
        name: 'topo2topo',
        // Not bound to the health of the node that made it: the session can be kept alive through any other.
        checks: [],
        behavior: 'delete',
        ttl: `${Math.ceil(ttlMs)}ms`,
        lockdelay: `${Math.ceil(lockDelayMs)}ms`,
      });
    return this.#call(create, limits, (reply) => toSessionId(decodeBody(reply.body)));
  }

  /** False when there is no such session any more. */
  renewSession(id: string, limits: Limits): Promise<boolean> {
    const renew: Work = ({ session }, options) => session.renew({ ...options, id });
    return this.#call(renew, limits, ({ status }) => status !== NOT_FOUND, { also: NOT_FOUND });
  }

  /** Ends a session, and with it the keys that it holds. Does nothing when there is none. */
  destroySession(id: string, limits: Limits): Promise<void> {
    const destroy: Work = ({ session }, options) => session.destroy({ ...options, id });
    return this.#call(destroy, limits, () => undefined);
  }

  /** Calls in flight are their callers' to cancel first. */
  close(): void {
    this.#server.close();
  }

  *#listing(pieces: Buffer[]): Generator<readonly Pair[], void> {
    try {
      yield* readListing(pieces);
    } catch (error) {
      throw this.#misread(error);
    }
  }

  /** Reads. Of all that is done for a short answer nothing would take as long as the package's making of the request. */
  #ask<T>(
    request: ServerRequest,
    limits: Limits,
    read: (reply: HttpReply) => T,
    expected?: Expected,
  ): Promise<T> {
    return this.#answered(this.#server.exchange(request, limits), read, expected);
  }

  /** Sends what a method of the package makes. */
  #call<T>(work: Work, limits: Limits, read: (reply: HttpReply) => T, expected?: Expected): Promise<T> {
    return this.#answered(
      API.ask(work, (request) => this.#server.exchange(request, limits)),
      read,
      expected,
    );
  }

  /** The answer to a request that was sent once. `read` gets it where it tells of success. */
  #answered<T>(
    sent: Promise<HttpReply>,
    read: (reply: HttpReply) => T,
    { also, withoutToken }: Expected = {},
  ): Promise<T> {
    return sent.then((reply) => {
      const { status } = reply;
      if ((status < 200 || status >= 300) && status !== also) throw this.#refused(reply);
      if (!withoutToken) this.#patience.taken();
      if (reply.header('x-consul-results-filtered-by-acls') === 'true')
        throw this.#failure({ sent: true, status: 403, text: 'some keys are left out' });
      try {
        return read(reply);
      } catch (error) {
        throw this.#misread(error);
      }
    });
  }

  /** What the server answered instead of what it was asked for. */
  #refused({ status, body }: HttpReply): HttpFailure {
    const words = body.toString().trim() || (STATUS_CODES[status] ?? '');
    const failure = { sent: true, status, text: words.slice(0, LONGEST_WORDS) };
    return this.#failure({ ...failure, momentary: this.#patience.bears(failure) });
  }

  /** Of an answer that is none that Consul gives; any other error as it is. */
  #misread(error: unknown): unknown {
    if (!(error instanceof Misunderstood)) return error;
    return this.#failure({ sent: true, text: 'an answer that is not Consul’s', foreign: true });
  }

  #failure(failure: Omit<HttpFailureDetails, 'endpoint'>): HttpFailure {
    return new HttpFailure({ ...failure, endpoint: this.endpoint });
  }
}

/** @param what more of the query */
function readOf({ key, separator, after }: KvQuery, what = ''): ServerRequest {
  let path = `/v1/kv/${encodeURIComponent(key)}?consistent${what}`;
  if (separator !== undefined) path += `&separator=${encodeURIComponent(separator)}`;
  if (after === undefined) return { method: 'GET', path };
  path += `&index=${after.index}&wait=${Math.ceil(after.waitMs)}ms`;
  return { method: 'GET', path, isPoll: true };
}

/** `X-Consul-Index`. Without it, it is not Consul that answers. */
function indexOf(reply: HttpReply): number {
  return numberOf(reply.header('x-consul-index'));
}

/** What an answer lists, in pieces. */
function piecesOf({ status, pieces }: HttpReply): Buffer[] {
  return status === NOT_FOUND ? [] : pieces;
}

function pairsOf(reply: HttpReply): Pair[] {
  return readAll(piecesOf(reply));
}

function oneOf(reply: HttpReply): Pair | undefined {
  indexOf(reply);
  return pairsOf(reply)[0];
}
