import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { textFlag } from './command.js';
import { type Flags, text, usage } from './flags.js';
import { json } from './io.js';

/** What one path answers. */
export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Paths and what they answer when they are asked for. */
export type Endpoints = Readonly<Record<string, () => Answer | Promise<Answer>>>;

/** A server that runs. */
export interface Served {
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Ends it, and every connection to it. Idempotent. */
  close(): Promise<void>;
}

/** Where a server listens. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** Flag of commands that run for long. */
export const LISTEN_FLAG = textFlag(
  'listen',
  'serve /metrics and /healthz: a port on this host alone, or HOST:PORT',
);

const LOOPBACK = '127.0.0.1';
const MOST_CONNECTIONS = 64;

/** Where the flags say to listen; undefined: nowhere. Usage. */
export function listenOf(flags: Flags): Listen | undefined {
  const given = text(flags, 'listen');
  if (given === undefined) return undefined;
  const [, bracketed, plain, digits = ''] =
    /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/.exec(given.trim()) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535))
    throw usage(
      '--listen is neither a port nor HOST:PORT',
      'write for example 9184 for this host alone, 0.0.0.0:9184 or [::]:9184 for everybody',
    );
  return { host: bracketed ?? plain ?? LOOPBACK, port };
}

/**
 * Answers GET and HEAD. It says nothing but what the endpoints say, and takes nothing. Usage when nobody can listen there.
 */
export async function serve({ host, port }: Listen, endpoints: Endpoints): Promise<Served> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const endpoint = Object.hasOwn(endpoints, path) ? endpoints[path] : undefined;
    if (endpoint === undefined) {
      send(response, plainText(404, `there are ${Object.keys(endpoints).join(', ')}`));
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      send(response, plainText(405, 'GET and HEAD alone'));
    } else {
      Promise.resolve()
        .then(endpoint)
        .then(
          (answer) => send(response, answer),
          () => send(response, plainText(500, 'a fault of this program')),
        );
    }
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    throw usage(
      `--listen: nobody can listen on ${host}, port ${port}: ${why}`,
      'choose another port or host',
    );
  }
  // Whoever is served badly comes again; the command goes on.
  server.on('error', () => {});
  const at = server.address() as AddressInfo;
  return {
    url: `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`,
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** What Prometheus reads. */
export async function metricsAnswer(registry: Registry): Promise<Answer> {
  return { status: 200, type: registry.contentType, body: await registry.metrics() };
}

/** Health as a document: 200 when nothing is the matter, else 503. */
export function healthAnswer(health: { readonly healthy: boolean }): Answer {
  return {
    status: health.healthy ? 200 : 503,
    type: 'application/json; charset=utf-8',
    body: `${json(health)}\n`,
  };
}

function plainText(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: `${body}\n` };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  // Node leaves the body out for HEAD.
  response.end(body);
}
