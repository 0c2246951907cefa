import http from 'node:http';

/** What a client is told in place of the server's own answer. */
export interface Instead {
  readonly status: number;
  readonly body: string;
}

/**
 * A server that passes everything on to the HTTP server at `target` (a URL), and its answers back. Where `insteadOf` says something of a
 * request, the client is told that once the server has answered: whatever it asked for is done.
 */
export function passing(
  target: string,
  insteadOf: (request: http.IncomingMessage, url: URL) => Instead | undefined,
): http.Server {
  return http.createServer((request, answer) => {
    const url = new URL(request.url ?? '', target);
    const instead = insteadOf(request, url);
    const { method = '', headers } = request;
    const onward = http.request(url, { method, headers }, (reply) => {
      if (instead === undefined) {
        answer.writeHead(reply.statusCode ?? 0, reply.headers);
        reply.pipe(answer);
        return;
      }
      reply.resume();
      reply.on('end', () => answer.writeHead(instead.status).end(instead.body));
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    request.pipe(onward);
  });
}
