import type { ConnectSettings } from '../topo/backend.js';
import type { Clock } from '../topo/clock.js';
import type { Limits } from '../topo/members.js';
import { exchange, type HttpReply, type HttpRequest, type HttpTarget } from './exchange.js';
import { type SocketLimits, takeSockets } from './sockets.js';

/** A request, beside what all those to one server have in common. */
export interface ServerRequest extends Pick<HttpRequest, 'method' | 'path' | 'onAnswer'> {
  readonly body?: { readonly type: string; readonly text: string } | undefined;
  /** Whether the answer may be kept for as long as nothing changes. */
  readonly isPoll?: boolean | undefined;
}

export interface HttpServerOptions {
  readonly sockets: SocketLimits;
  /** That go with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One HTTP server of a store, and the sockets to it. */
export class HttpServer implements HttpTarget {
  readonly endpoint: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #clock: Clock;
  readonly #sockets: ReturnType<typeof takeSockets>;

  /** @param server `host:port`, or with `http://` or `https://`; without, TLS is used where `tls` is given */
  constructor(
    server: string,
    { tls, clock }: Pick<ConnectSettings, 'tls' | 'clock'>,
    { sockets, headers }: HttpServerOptions,
  ) {
    this.endpoint = server.replace(/^https?:\/\//, '');
    this.secure = server.startsWith('https://') || (tls !== undefined && !server.startsWith('http://'));
    const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(this.endpoint) ?? [];
    this.host = host;
    this.port = Number(port);
    this.#headers = headers;
    this.#clock = clock;
    this.#sockets = takeSockets(this.endpoint, this.secure ? (tls ?? {}) : undefined, sockets);
  }

  /** See {@link exchange}. */
  exchange(
    { method, path, body, isPoll = false, onAnswer }: ServerRequest,
    limits: Limits,
  ): Promise<HttpReply> {
    const { calls, polls } = this.#sockets.sockets;
    const agent = isPoll ? polls : calls;
    const headers = body === undefined ? this.#headers : { ...this.#headers, 'Content-Type': body.type };
    return exchange(this, { agent, method, path, headers, body: body?.text, onAnswer }, limits, this.#clock);
  }

  /** Idempotent. Exchanges in flight are their callers' to cancel first. */
  close(): void {
    this.#sockets.release();
  }
}
