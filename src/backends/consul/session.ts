import { raceCall } from '../../topo/calls.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { keepAlive } from '../../topo/keep-alive.js';
import type { ConsulClient } from './client.js';

/** What Consul takes for the time to live of a session, in milliseconds. */
const LEAST_TTL_MS = 10_000;
const MOST_TTL_MS = 86_400_000;
/** Milliseconds that ending a session may take when the connection is closed. */
const CLOSING_MS = 1_000;

/** A session of Consul's, kept alive until {@link stop}. The keys that it holds are deleted when it ends. */
export class Session {
  readonly id: string;
  /** Called once, with a few words, when it is over, or may be. */
  onOver: (why: string) => void = () => {};
  readonly #client: ConsulClient;
  readonly #path: string;
  readonly #stopRenewing: () => void;
  readonly #forget: () => void;
  #over = false;

  private constructor(
    client: ConsulClient,
    path: string,
    made: { id: string; since: number; ttlMs: number },
  ) {
    this.id = made.id;
    this.#client = client;
    this.#path = path;
    this.#stopRenewing = keepAlive({
      context: client.context,
      ttlMs: made.ttlMs,
      since: made.since,
      renew: (options) =>
        client.read(path, options, (member, limits) => member.renewSession(made.id, limits)),
      onOver: (why) => this.#end(why),
    });
    this.#forget = client.beforeClose(() => {
      this.#end('the connection was closed');
      return this.destroy({ deadline: client.context.clock.now() + CLOSING_MS });
    });
  }

  /** Makes a session for the lock of `path`; for a `ttlMs` that Consul does not take, with the nearest that it takes. */
  static open(client: ConsulClient, path: string, ttlMs: number, signal: AbortSignal): Promise<Session> {
    const settings = {
      ttlMs: Math.min(MOST_TTL_MS, Math.max(LEAST_TTL_MS, ttlMs)),
      lockDelayMs: client.lockDelayMs,
    };
    const { clock } = client.context;
    const since = clock.now();
    // Not cut short by the signal: a session whose id is lost could not be ended.
    const making = client
      .read(path, undefined, (member, limits) => member.createSession(settings, limits))
      .then((id) => new Session(client, path, { id, since, ttlMs: settings.ttlMs }));
    const drop = (ms: number) =>
      making.then(
        (session) => session.destroy({ deadline: clock.now() + ms }),
        () => {},
      );
    const forget = client.beforeClose(() =>
      Promise.race([drop(CLOSING_MS), client.sleep(CLOSING_MS, client.closed)]),
    );
    making.then(forget, forget);
    const limits = { signal, deadline: Number.POSITIVE_INFINITY };
    const onEnd = () => void drop(settings.ttlMs);
    return raceCall(client.context, limits, { kind: 'read', path, onEnd }, making);
  }

  get over(): boolean {
    return this.#over;
  }

  /** Ends the keeping alive. */
  stop(): void {
    this.#over = true;
    this.#stopRenewing();
  }

  /** Ends the session at the server, until the deadline: after it, the session ends by itself. Never rejects. */
  async destroy(options: { readonly deadline?: number | undefined }): Promise<void> {
    this.stop();
    const { id } = this;
    const { closed } = this.#client;
    for (let round = 0; !closed.aborted; round++) {
      try {
        await this.#client.read(this.#path, options, (member, limits) => member.destroySession(id, limits));
        break;
      } catch (error) {
        // At the deadline it is a Timeout, and a moment later again.
        if (!isTopologyError(error, ErrorCode.Unavailable) || !error.retryable) break;
        await this.#client.pause(round, closed);
      }
    }
    this.#forget();
  }

  #end(why: string): void {
    this.stop();
    this.onOver(why);
  }
}
