import { once } from 'node:events';
import type net from 'node:net';

/** Has `server` listen on a port of its own for the time of `use`, which gets its address. */
export async function listening<T>(server: net.Server, use: (address: string) => Promise<T>): Promise<T> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  try {
    return await use(`127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
