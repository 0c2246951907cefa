// Processes of a cluster as far as their web ports go: a child of the test, which ends with it. Each port is told what to answer.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp } from 'node:net';

const HUGE = 50 * 1024 * 1024;

const requests = new Map();

/** @param {{ port: number, does: string, vars?: object[], status?: string, to?: string }} stand */
function answer(stand, request, response) {
  const { port, does, vars = [], status, to } = stand;
  switch (does) {
    case 'hang':
      return;
    case 'drip':
      response.writeHead(200);
      setInterval(() => response.write(' '), 50).unref();
      return;
    case 'redirect':
      response.writeHead(302, { location: to }).end();
      return;
    case 'forbid':
      response.writeHead(403).end('Access denied: not allowed');
      return;
    case 'garbage':
      response.writeHead(200).end('<html>Welcome to nginx</html>');
      return;
    case 'huge':
      response.writeHead(200).end(Buffer.alloc(HUGE, ' '));
      return;
    default:
  }
  if (request.url === '/debug/status' && status !== undefined) {
    response.writeHead(200, { 'content-type': 'text/html' }).end(status);
    return;
  }
  if (request.url !== '/debug/vars') {
    response.writeHead(404).end('404 page not found\n');
    return;
  }
  const nth = requests.get(port) ?? 0;
  requests.set(port, nth + 1);
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(vars[Math.min(nth, vars.length - 1)], undefined, 1));
}

function serverOf(stand) {
  const { does, tls } = stand;
  if (does === 'noise')
    return createTcp((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'));
  const listener = (request, response) => answer(stand, request, response);
  if (tls === undefined) return createServer(listener);
  return createHttps({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, listener);
}

const servers = new Set();
const sockets = new Set();

function listen(stand) {
  const server = serverOf(stand);
  servers.add(server);
  server.on('connection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  return new Promise((resolve) => server.listen(stand.port, '127.0.0.1', resolve));
}

function close(server) {
  servers.delete(server);
  return new Promise((resolve) => server.close(resolve));
}

// Each message is the ports of one test, in place of those of the test before.
process.on('message', async (stands) => {
  for (const socket of sockets) socket.destroy();
  await Promise.all([...servers].map(close));
  requests.clear();
  await Promise.all(stands.map(listen));
  process.send('ready');
});
process.once('disconnect', () => process.exit());
