import { type Agent, type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '../topo/clock.js';
import type { Limits } from '../topo/members.js';
import { HttpFailure } from './failure.js';

/** One request to an HTTP server. */
export interface HttpRequest {
  /** `host:port`. */
  readonly endpoint: string;
  /** The sockets that it may take; of https when `secure`. */
  readonly agent: Agent;
  readonly secure: boolean;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Begins with a slash; escaped. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Sends one request, once. Rejects with a HttpFailure when no whole answer comes: because the limits struck, or the connection
 * broke. It says whether the request may have left; it holds neither headers nor the body.
 */
export function exchange(request: HttpRequest, limits: Limits, clock: Clock): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    new Exchange(request, limits, clock, resolve, reject).begin();
  });
}

class Exchange {
  readonly #request: HttpRequest;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #resolve: (reply: HttpReply) => void;
  readonly #reject: (failure: HttpFailure) => void;
  readonly #timers: (() => void)[] = [];
  #destroy = () => {};
  #sent = false;
  #late = false;
  #over = false;

  constructor(
    request: HttpRequest,
    limits: Limits,
    clock: Clock,
    resolve: (reply: HttpReply) => void,
    reject: (failure: HttpFailure) => void,
  ) {
    this.#request = request;
    this.#limits = limits;
    this.#clock = clock;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    if (this.#limits.signal.aborted) {
      this.#fail('cancelled');
      return;
    }
    this.#setTimers();
    this.#limits.signal.addEventListener('abort', this.#cancel);
    this.#send();
  }

  #setTimers(): void {
    const { connectBy, answerBy, callEnds = Number.POSITIVE_INFINITY } = this.#limits;
    const now = this.#clock.now();
    if (answerBy < callEnds)
      this.#timers.push(this.#clock.schedule(Math.max(0, answerBy - now), () => this.#giveUp()));
    if (connectBy < Math.min(answerBy, callEnds)) {
      const connected = () => {
        if (!this.#sent) this.#giveUp();
      };
      this.#timers.push(this.#clock.schedule(Math.max(0, connectBy - now), connected));
    }
  }

  #send(): void {
    const { endpoint, agent, secure, method, path, headers, body } = this.#request;
    const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(endpoint) ?? [];
    const send = secure ? requestHttps : requestHttp;
    const outgoing = send({ agent, host, port: Number(port), method, path, headers });
    this.#destroy = () => outgoing.destroy();
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) this.#leaves();
      else socket.once(secure ? 'secureConnect' : 'connect', () => this.#leaves());
    });
    outgoing.on('error', (error) => this.#broke(error));
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => this.#broke(error));
      response.on('end', () => {
        const { statusCode: status = 0, headers: answered } = response;
        this.#end();
        this.#resolve({ status, headers: answered, body: Buffer.concat(chunks) });
      });
    });
    outgoing.end(body);
  }

  #leaves(): void {
    if (this.#over) return;
    this.#sent = true;
    this.#limits.onSend?.();
  }

  #giveUp(): void {
    this.#late = true;
    this.#cancel();
  }

  readonly #cancel = (): void => {
    this.#fail('cancelled');
    this.#destroy();
  };

  #broke(error: Error): void {
    this.#fail(error.message, 'code' in error ? String(error.code) : undefined);
  }

  #fail(text: string, code?: string): void {
    if (this.#over) return;
    this.#end();
    const { endpoint } = this.#request;
    this.#reject(new HttpFailure({ endpoint, sent: this.#sent, late: this.#late, code, text }));
  }

  #end(): void {
    this.#over = true;
    for (const cancel of this.#timers) cancel();
    this.#limits.signal.removeEventListener('abort', this.#cancel);
  }
}
