import { type Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '../topo/clock.js';
import type { Limits } from '../topo/members.js';
import { HttpFailure } from './failure.js';

/** Whom a request is sent to. */
export interface HttpTarget {
  /** `host:port`. */
  readonly endpoint: string;
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
}

/** One request to an HTTP server. */
export interface HttpRequest {
  /** The sockets that it may take; of https where the target is secure. */
  readonly agent: Agent;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Begins with a slash; escaped. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Called when the answer begins. */
  readonly onAnswer?: (() => void) | undefined;
}

/** A whole answer. */
export class HttpReply {
  readonly status: number;
  /** The body, as it came. */
  readonly pieces: Buffer[];
  readonly #headers: readonly string[];

  /** @param headers names and values in turns */
  constructor(status: number, headers: readonly string[], pieces: Buffer[]) {
    this.status = status;
    this.pieces = pieces;
    this.#headers = headers;
  }

  get body(): Buffer {
    const [first] = this.pieces;
    return first !== undefined && this.pieces.length === 1 ? first : Buffer.concat(this.pieces);
  }

  /**
   * One header. Node's own list of them takes longer than all else that is done for a short answer.
   *
   * @param name in lower case
   */
  header(name: string): string | undefined {
    const headers = this.#headers;
    for (let i = 0; i < headers.length; i += 2) {
      const found = headers[i];
      if (found?.length === name.length && found.toLowerCase() === name) return headers[i + 1];
    }
    return undefined;
  }
}

/**
 * Sends one request, once. Rejects with a HttpFailure when no whole answer comes: because the limits struck, or the connection
 * broke. It says whether the request may have left; it holds neither headers nor the body.
 */
export function exchange(
  target: HttpTarget,
  request: HttpRequest,
  limits: Limits,
  clock: Clock,
): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    new Exchange(target, request, limits, clock, resolve, reject).begin();
  });
}

class Exchange {
  readonly #target: HttpTarget;
  readonly #request: HttpRequest;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #resolve: (reply: HttpReply) => void;
  readonly #reject: (failure: HttpFailure) => void;
  #cancelAnswer: (() => void) | undefined;
  #cancelConnect: (() => void) | undefined;
  #destroy = () => {};
  #sent = false;
  #late = false;
  #over = false;

  constructor(
    target: HttpTarget,
    request: HttpRequest,
    limits: Limits,
    clock: Clock,
    resolve: (reply: HttpReply) => void,
    reject: (failure: HttpFailure) => void,
  ) {
    this.#target = target;
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
    const clock = this.#clock;
    if (answerBy < callEnds)
      this.#cancelAnswer = clock.schedule(Math.max(0, answerBy - clock.now()), () => this.#giveUp());
    if (connectBy < Math.min(answerBy, callEnds))
      this.#cancelConnect = clock.schedule(Math.max(0, connectBy - clock.now()), () => {
        if (!this.#sent) this.#giveUp();
      });
  }

  #send(): void {
    const { host, port, secure } = this.#target;
    const { agent, method, path, headers, body } = this.#request;
    const send = secure ? requestHttps : requestHttp;
    const outgoing = send({ agent, host, port, method, path, headers });
    this.#destroy = () => outgoing.destroy();
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) this.#leaves();
      else socket.once(secure ? 'secureConnect' : 'connect', () => this.#leaves());
    });
    outgoing.on('error', this.#broke);
    outgoing.on('response', (response) => this.#receive(response));
    outgoing.end(body);
  }

  #receive(response: IncomingMessage): void {
    const pieces: Buffer[] = [];
    response.on('data', (piece: Buffer) => pieces.push(piece));
    response.on('error', this.#broke);
    response.on('end', () => {
      this.#end();
      this.#resolve(new HttpReply(response.statusCode ?? 0, response.rawHeaders, pieces));
    });
    this.#request.onAnswer?.();
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

  readonly #broke = (error: Error): void => {
    this.#fail(error.message, 'code' in error ? String(error.code) : undefined);
  };

  #fail(text: string, code?: string): void {
    if (this.#over) return;
    this.#end();
    const { endpoint } = this.#target;
    this.#reject(new HttpFailure({ endpoint, sent: this.#sent, late: this.#late, code, text }));
  }

  #end(): void {
    this.#over = true;
    this.#cancelAnswer?.();
    this.#cancelConnect?.();
    this.#limits.signal.removeEventListener('abort', this.#cancel);
  }
}
