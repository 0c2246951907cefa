import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { Writable } from 'node:stream';
import Consul from 'consul';
import type { Clock } from '../../topo/clock.js';
import type { Limits } from '../../topo/members.js';
import { decodeBody, encodeBody } from './body.js';

/** Options of a method of the client. */
type Options = Readonly<Record<string, unknown>>;

/** What every method needs among its options. */
interface Base extends Options {
  readonly ctx: Exchange;
}

/** The `consul` package's methods that are used here. Its own types lack half of the options. */
interface Methods {
  readonly kv: { get(options: Options): Promise<unknown>; keys(options: Options): Promise<unknown> };
  readonly transaction: { create(operations: readonly object[], options: Options): Promise<unknown> };
  readonly session: {
    create(options: Options): Promise<unknown>;
    renew(options: Options): Promise<unknown>;
    destroy(options: Options): Promise<unknown>;
  };
  readonly catalog: { datacenters(options: Options): Promise<unknown> };
  _ext(event: 'onRequest', extension: (request: Prepared, next: () => void) => void): void;
}

/** What sends a request. */
interface Transport {
  request(options: object): ClientRequest;
}

/** A request that the package is about to send. */
interface Prepared {
  readonly opts: { readonly ctx?: unknown };
  transport: Transport;
  /** Where the body of the answer goes, if the package is not to keep it. */
  pipe?: Writable;
  req: { hostname: string; agent?: Agent };
}

/** An answer as the package leaves it. */
interface Answer extends IncomingMessage {
  /** Decoded, once the answer is whole. */
  readonly body?: unknown;
}

/** The body of an answer, in pieces as they come: the package would make one block of it, and then one value. */
class Body extends Writable {
  readonly pieces: Buffer[] = [];

  constructor() {
    // Nothing is waited for: a pause after each piece would only take time.
    super({ highWaterMark: Number.MAX_SAFE_INTEGER });
  }

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(piece);
    done();
  }
}

/** What an exchange is told beside its limits. */
export interface ExchangeOptions {
  /** Called when the answer begins. */
  readonly onAnswer?: (() => void) | undefined;
  /** Whether the answer's body is wanted as it comes: see {@link Exchange.body}. */
  readonly inPieces?: boolean | undefined;
}

/**
 * One exchange, as the package's `ctx`. Not an EventEmitter, as which the package would cancel the request and show the
 * answer itself: that takes longer, and does not tell what was sent.
 */
export class Exchange implements Transport {
  readonly agent: Agent;
  readonly #limits: Limits;
  readonly #cancelAnswer: (() => void) | undefined;
  readonly #cancelConnect: (() => void) | undefined;
  #transport: Transport | undefined;
  #secure = false;
  #request: ClientRequest | undefined;
  /** Whether the request was given to a connection. */
  sent = false;
  /** Whether it was given up because its time was over. */
  late = false;
  /** Its beginning, and all of it once the exchange is over. */
  response: Answer | undefined;

  /** Where the answer's body goes, be it a listing or an error's words; undefined: the package decodes it. */
  readonly body: Body | undefined;
  readonly #onAnswer: (() => void) | undefined;

  /** To be ended with {@link end}. */
  constructor(agent: Agent, limits: Limits, clock: Clock, { onAnswer, inPieces }: ExchangeOptions) {
    this.agent = agent;
    this.#onAnswer = onAnswer;
    this.body = inPieces === true ? new Body() : undefined;
    this.#limits = limits;
    const { connectBy, answerBy, callEnds = Number.POSITIVE_INFINITY, signal } = limits;
    const end = Math.min(answerBy, callEnds);
    if (answerBy < callEnds)
      this.#cancelAnswer = clock.schedule(answerBy - clock.now(), () => this.#giveUp());
    if (connectBy < end)
      this.#cancelConnect = clock.schedule(connectBy - clock.now(), () => {
        if (!this.sent) this.#giveUp();
      });
    signal.addEventListener('abort', this.#cancel);
  }

  end(): void {
    this.#cancelAnswer?.();
    this.#cancelConnect?.();
    this.#limits.signal.removeEventListener('abort', this.#cancel);
  }

  /** Takes the place of the package's transport. */
  carry(transport: Transport, secure: boolean): void {
    this.#transport = transport;
    this.#secure = secure;
  }

  /** Sends the request, and takes note of what the package does not tell. */
  request(options: object): ClientRequest {
    if (this.#transport === undefined) throw new TypeError('an exchange needs a transport');
    const request = this.#transport.request(options);
    this.#request = request;
    request.on('socket', (socket) => {
      if (!socket.connecting) this.#leaves();
      else socket.once(this.#secure ? 'secureConnect' : 'connect', () => this.#leaves());
    });
    request.on('response', (response) => {
      this.response = response;
      // The package waits for the end of an answer, also when its connection broke.
      response.on('error', (error) => request.emit('error', error));
      this.#onAnswer?.();
    });
    return request;
  }

  #leaves(): void {
    this.sent = true;
    this.#limits.onSend?.();
  }

  #giveUp(): void {
    this.late = true;
    this.#cancel();
  }

  readonly #cancel = (): void => {
    this.#request?.destroy();
    // The package waits for an answer that began, whatever became of its connection.
    this.#request?.emit('error', new Error('cancelled'));
  };
}

/** The HTTP API of one server, through the `consul` package. */
export class Http {
  readonly #methods: Methods;

  /** @param endpoint `host:port` */
  constructor(endpoint: string, secure: boolean, token: string | undefined) {
    const [, host = '', port] = /^(.*):(\d+)$/.exec(endpoint) ?? [];
    const hostname = host.replace(/^\[(.*)\]$/, '$1');
    const options = {
      host,
      port: Number(port),
      secure,
      ...(token === undefined ? {} : { defaults: { token } }),
      encoders: { 'application/json': encodeBody },
      decoders: { 'application/json': decodeBody },
    };
    const client: object = new Consul(options);
    if (!hasMethods(client)) throw new TypeError('the consul package cannot be extended');
    client._ext('onRequest', (request, next) => {
      const { ctx } = request.opts;
      if (ctx instanceof Exchange) {
        request.req.agent = ctx.agent;
        request.req.hostname = hostname;
        ctx.carry(request.transport, secure);
        request.transport = ctx;
        if (ctx.body !== undefined) request.pipe = ctx.body;
      }
      next();
    });
    this.#methods = client;
  }

  /** Does one exchange: `work` gets the package's methods, and the options that each needs. Its answer is the body. */
  run(exchange: Exchange, work: (methods: Methods, options: Base) => Promise<unknown>): Promise<unknown> {
    return work(this.#methods, { ctx: exchange });
  }
}

function hasMethods(client: object): client is Methods {
  return '_ext' in client;
}
