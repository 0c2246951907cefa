import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

const LOWEST = 10_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;
/** Into so many parts the ports are divided, one for each process that runs test files beside others. */
const SHARES = 8;
/** `fetch` refuses this port, whoever listens there: it is on the list of ports that browsers block. */
const BLOCKED = 10_080;
const given = new Set<number>([BLOCKED]);

const bindable = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });

/** The lowest port that the system gives to outgoing connections. */
async function firstEphemeral(): Promise<number> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '');
  return Number.parseInt(range, 10) || HIGHEST;
}

/**
 * Loopback ports that nobody listens on. They lie below those the system gives to outgoing connections: while a
 * server is down, a client that calls its port could otherwise be given that very port and talk to itself. For the same
 * reason test files that run at the same time are given different ones: the server of one may be down while another looks
 * for a port.
 */
export async function freePorts(count: number): Promise<number[]> {
  const top = Math.max(LOWEST + 1_000, Math.min(HIGHEST, await firstEphemeral()));
  const size = Math.floor((top - LOWEST) / SHARES);
  const lowest = LOWEST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % SHARES) * size;
  const ports: number[] = [];
  for (let attempt = 0; ports.length < count; attempt++) {
    if (attempt > ATTEMPTS) throw new Error(`no ${count} free ports between ${lowest} and ${lowest + size}`);
    const port = lowest + Math.floor(Math.random() * size);
    if (given.has(port) || !(await bindable(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}
