import { type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { TlsSettings } from './backend.js';
import type { Clock } from './clock.js';
import { type ClockReading, readClock } from './health.js';

/** One question to an HTTP server. */
export interface HttpQuestion {
  /** `host:port`. */
  readonly endpoint: string;
  /** Begins with a slash. */
  readonly path: string;
  /** Undefined: without TLS. */
  readonly tls: TlsSettings | undefined;
  readonly headers?: OutgoingHttpHeaders;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
  /** By its `Date`, which is in whole seconds. */
  readonly serverClock: ClockReading | undefined;
}

/** More than any answer that is asked for here. */
const LONGEST_BODY = 8 * 1024 * 1024;

/**
 * Asks a server over a connection of its own. Rejects with Node's error, or one that says that the time is over or the answer too
 * long; neither holds headers.
 */
export function httpGet(question: HttpQuestion): Promise<HttpAnswer> {
  const { endpoint, path, tls, headers = {}, timeoutMs, clock, signal } = question;
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(endpoint) ?? [];
  const options = {
    ...{ host, port: Number(port), path, headers, agent: false as const },
    ...(signal === undefined ? {} : { signal }),
  };
  return new Promise((resolve, reject) => {
    const before = clock.now();
    const request = tls === undefined ? requestHttp(options) : requestHttps({ ...options, ...secure(tls) });
    const cancel = clock.schedule(timeoutMs, () =>
      request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
    );
    request.once('close', cancel);
    request.once('error', reject);
    request.once('response', (response) => {
      const after = clock.now();
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > LONGEST_BODY) request.destroy(new Error('the answer is too long'));
      });
      response.once('error', reject);
      response.once('end', () => {
        const date = Date.parse(response.headers.date ?? '');
        resolve({
          status: response.statusCode ?? 0,
          body: Buffer.concat(chunks).toString(),
          ms: after - before,
          serverClock: Number.isNaN(date) ? undefined : readClock(date, 1_000, before, after),
        });
      });
    });
    request.end();
  });
}

function secure({ ca, cert, key, serverName }: TlsSettings) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}
