import Consul from 'consul';
import type { HttpReply } from '../../http/exchange.js';
import type { ServerRequest } from '../../http/server.js';
import { encodeBody } from './body.js';

/** Sends a request, once. */
type Send = (request: ServerRequest) => Promise<HttpReply>;

/** Options of a method of the package. */
interface Options {
  /** Has to be there: it is what the request is sent by. */
  readonly ctx: Send;
  readonly [name: string]: unknown;
}

/** The `consul` package's methods that are used here. Its own types lack half of the options, and each answers with a {@link HttpReply}. */
interface Methods {
  readonly transaction: { create(operations: readonly object[], options: Options): Promise<unknown> };
  readonly session: {
    create(options: Options): Promise<unknown>;
    renew(options: Options): Promise<unknown>;
    destroy(options: Options): Promise<unknown>;
  };
  readonly catalog: { datacenters(options: Options): Promise<unknown> };
  _ext(event: 'onRequest', extension: (request: Made, answer: Answer) => void): void;
}

/** Calls a method of the package with these options, and maybe more. */
export type Work = (methods: Methods, options: Options) => Promise<unknown>;

/** A request as the package has made it. */
interface Made {
  readonly opts: { readonly ctx?: unknown };
  readonly req: {
    readonly method: ServerRequest['method'];
    readonly path: string;
    readonly headers: { readonly 'content-type'?: string };
  };
  readonly body?: string;
}

/** Ends a request instead of the package, which then sends nothing: with an answer, or with an error. */
type Answer = (goOn: false, outcome: unknown) => void;

/**
 * Consul's API through the npm package, which makes the requests and knows how they are spelled. They are sent by src/http, since the
 * package does not tell whether a request left.
 */
export class Api {
  readonly #methods: Methods;
  /** The first transaction, as the package has made it. */
  #transaction: ServerRequest | undefined;

  constructor() {
    const options = { defaults: {}, encoders: { 'application/json': encodeBody } };
    const client: object = new Consul(options);
    if (!hasMethods(client)) throw new TypeError('the consul package cannot be extended');
    client._ext('onRequest', ({ opts, req, body }, answer) => {
      const end = (outcome: unknown) => answer(false, outcome);
      if (!isSend(opts.ctx)) return end(new TypeError('nothing to send a request by'));
      const { method, path, headers } = req;
      const type = headers['content-type'];
      const text = type === undefined || body === undefined ? undefined : { type, text: body };
      opts.ctx({ method, path, body: text }).then(end, end);
    });
    this.#methods = client;
  }

  /**
   * A transaction, consistent if it only reads. The package makes the first one, of which the others differ in the body alone: to have
   * each made anew took a sixth of a short write’s processor time.
   */
  transact(operations: readonly object[], send: Send): Promise<HttpReply> {
    const first = this.#transaction;
    if (first?.body !== undefined)
      return send({ ...first, body: { ...first.body, text: encodeBody(operations) } });
    const create: Work = ({ transaction }, options) =>
      transaction.create(operations, { ...options, consistent: true });
    return this.ask(create, (request) => {
      this.#transaction = request;
      return send(request);
    });
  }

  /** Sends what a method of the package makes: `work` calls one, with these options. */
  async ask(work: Work, send: Send): Promise<HttpReply> {
    let reply: HttpReply | undefined;
    const ctx: Send = async (request) => {
      reply = await send(request);
      return reply;
    };
    await work(this.#methods, { ctx });
    if (reply === undefined) throw new TypeError('the consul package sent nothing');
    return reply;
  }
}

function hasMethods(client: object): client is Methods {
  return '_ext' in client;
}

function isSend(ctx: unknown): ctx is Send {
  return typeof ctx === 'function';
}
