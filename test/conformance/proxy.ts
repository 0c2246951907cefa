import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Stands between a connection and one server, on the loopback interface. */
class Relay {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  muted = false;

  constructor(target: string) {
    const [host = '', port] = target.split(':');
    this.#server = createServer((client) => this.#join(client, dial({ host, port: Number(port) })));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #join(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    client.on('data', (chunk) => server.write(chunk));
    server.on('data', (chunk) => {
      if (!this.muted) client.write(chunk);
    });
    for (const [socket, other] of [pair, [server, client] as const]) {
      socket.setNoDelay(true);
      // What is on its way still arrives when one side ends; a broken side breaks the other.
      socket.on('end', () => other.end());
      socket.on('error', () => other.destroy());
      socket.on('close', () => this.#pairs.delete(pair));
    }
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }
}

/** The way from a connection to its servers, which can lose what goes over it. */
export class Way {
  /** `host:port` of each server as seen through it, separated by commas. */
  readonly servers: string;
  readonly #relays: readonly Relay[];

  private constructor(servers: string, relays: readonly Relay[]) {
    this.servers = servers;
    this.#relays = relays;
  }

  static async to(servers: string): Promise<Way> {
    const relays = servers.split(',').map((server) => new Relay(server));
    const addresses = await Promise.all(relays.map((relay) => relay.listen()));
    return new Way(addresses.join(','), relays);
  }

  /** From now on the servers get every request, and no answer of theirs arrives, until {@link mend}. */
  loseAnswers(): void {
    for (const relay of this.#relays) relay.muted = true;
  }

  /** Breaks every connection; new ones work. */
  mend(): void {
    for (const relay of this.#relays) {
      relay.cut();
      relay.muted = false;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.close()));
  }
}
