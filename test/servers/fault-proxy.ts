import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { Random } from '../../src/topo/clock.js';
import { Current, type Direction, OPEN, type Shape } from './fault-current.js';
import { freePorts } from './ports.js';

const LISTEN_ATTEMPTS = 5;

/** What becomes of new connections: they reach the server, find nobody listening, or are taken and never served. */
type Welcome = 'serve' | 'refuse' | 'hold';

/**
 * Stands between clients and one server, on the loopback interface, and does to their connections what networks do.
 * Own code, since the known proxy of this kind, toxiproxy, is a program that Debian does not have.
 */
export class FaultProxy {
  /** `host:port` at which it stands for the server. */
  readonly address: string;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #port: number;
  readonly #random: Random;
  readonly #links = new Set<Link>();
  readonly #held = new Set<Socket>();
  readonly #shapes: Record<Direction, Shape> = { requests: OPEN, answers: OPEN };
  readonly #resets: PlannedReset[] = [];
  #welcome: Welcome = 'serve';
  #server: Server | undefined;

  private constructor(target: string, port: number, random: Random) {
    const [host = '', targetPort] = target.split(':');
    this.#target = { host, port: Number(targetPort) };
    this.#port = port;
    this.#random = random;
    this.address = `127.0.0.1:${port}`;
  }

  /** Listens for the server at `target` (`host:port`). `random` decides the jitter. */
  static async to(target: string, random: Random = Math.random): Promise<FaultProxy> {
    for (let attempt = 1; ; attempt++) {
      const [port = 0] = await freePorts(1);
      const proxy = new FaultProxy(target, port, random);
      try {
        await proxy.#listen();
        return proxy;
      } catch (error) {
        if (attempt === LISTEN_ATTEMPTS) throw error;
      }
    }
  }

  /** From now on what goes in `direction` is slowed down, or held up, as `shape` says; it arrives whole and in order. */
  shape(direction: Direction, shape: Shape): void {
    this.#shapes[direction] = shape;
    for (const link of this.#links) link.currents[direction].reshape();
  }

  /** From now on nothing arrives in `direction`, not even that a side is gone. */
  mute(direction: Direction): void {
    this.shape(direction, { muted: true });
  }

  /** Resets every connection (RST) at both ends; new ones work. What was on its way is lost. */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  /**
   * Resets one connection at both ends: the one to carry the last of `bytes` more that arrive in `direction`; the rest of
   * what it carried is lost. Resolves when that happened, or was called off by `mend`.
   */
  resetAfter(direction: Direction, bytes: number): Promise<void> {
    return new Promise((done) => {
      this.#resets.push({ direction, left: bytes, done });
    });
  }

  /** Ends every connection in good order (FIN); new ones work. */
  cut(): void {
    for (const link of this.#links) link.end();
  }

  /** From now on nobody listens: new connections are refused. Those that are open go on. */
  refuse(): void {
    this.#welcome = 'refuse';
    this.#dropHeld();
    this.#server?.close();
    this.#server = undefined;
  }

  /** From now on new connections are taken, and nothing comes back on them. Those that are open go on. */
  hold(): Promise<void> {
    this.#welcome = 'hold';
    return this.#listen();
  }

  /** Resets all connections, so that nothing held up arrives late, and takes back every fault; new connections work. */
  async mend(): Promise<void> {
    this.#welcome = 'serve';
    this.#dropHeld();
    this.reset();
    for (const direction of ['requests', 'answers'] as const) this.#shapes[direction] = OPEN;
    this.#callOffResets();
    await this.#listen();
  }

  /** Ends all connections, and no longer stands there. */
  async close(): Promise<void> {
    const server = this.#server;
    const closed = server && new Promise((resolve) => server.once('close', resolve));
    this.refuse();
    this.reset();
    this.#callOffResets();
    await closed;
  }

  #callOffResets(): void {
    for (const { done } of this.#resets.splice(0)) done();
  }

  #listen(): Promise<void> {
    if (this.#server !== undefined) return Promise.resolve();
    const server = createServer({ allowHalfOpen: true }, (client) => this.#greet(client));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
  }

  #dropHeld(): void {
    for (const socket of this.#held) socket.resetAndDestroy();
    this.#held.clear();
  }

  #greet(client: Socket): void {
    if (this.#welcome === 'hold') {
      this.#held.add(client);
      client.on('error', () => {});
      client.on('close', () => this.#held.delete(client));
      client.resume();
      return;
    }
    const server = dial({ ...this.#target, allowHalfOpen: true });
    const link: Link = new Link(client, server, (source, target, direction) => {
      const shape = () => this.#shapes[direction];
      return new Current(source, target, shape, this.#random, (bytes) =>
        this.#bytesBefore(link, direction, bytes),
      );
    });
    this.#links.add(link);
    link.onGone(() => this.#links.delete(link));
  }

  /** How many of `bytes` may still arrive before a planned reset; undefined: all. */
  #bytesBefore(link: Link, direction: Direction, bytes: number): number | undefined {
    const plan = this.#resets.find((each) => each.direction === direction);
    if (plan === undefined) return undefined;
    if (bytes < plan.left) {
      plan.left -= bytes;
      return undefined;
    }
    this.#resets.splice(this.#resets.indexOf(plan), 1);
    // What may still arrive is written to the socket by then, and given to the system at once.
    setImmediate(() => {
      link.reset();
      plan.done();
    });
    return plan.left;
  }
}

interface PlannedReset {
  readonly direction: Direction;
  left: number;
  readonly done: () => void;
}

/** One connection of a client, and the one to the server behind it. */
class Link {
  readonly currents: Readonly<Record<Direction, Current>>;
  readonly #sockets: readonly [Socket, Socket];

  constructor(
    client: Socket,
    server: Socket,
    current: (source: Socket, target: Socket, direction: Direction) => Current,
  ) {
    this.#sockets = [client, server];
    for (const socket of this.#sockets) socket.setNoDelay(true);
    this.currents = {
      requests: current(client, server, 'requests'),
      answers: current(server, client, 'answers'),
    };
  }

  onGone(callback: () => void): void {
    for (const socket of this.#sockets)
      socket.on('close', () => {
        if (this.#sockets.every(({ destroyed }) => destroyed)) callback();
      });
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroySoon();
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}

/** The way to all servers of a store: one proxy for each, in their order. */
export class FaultWay {
  /** `host:port` of each server as seen through it, separated by commas. */
  readonly servers: string;
  readonly proxies: readonly FaultProxy[];

  private constructor(proxies: readonly FaultProxy[]) {
    this.proxies = proxies;
    this.servers = proxies.map(({ address }) => address).join(',');
  }

  static async to(servers: string, random?: Random): Promise<FaultWay> {
    return new FaultWay(await Promise.all(servers.split(',').map((server) => FaultProxy.to(server, random))));
  }

  /** From now on the servers get every request, and no answer of theirs arrives, until {@link mend}. */
  loseAnswers(): void {
    for (const proxy of this.proxies) proxy.mute('answers');
  }

  /** {@link FaultProxy.mend} of all. */
  async mend(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.mend()));
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
  }
}
