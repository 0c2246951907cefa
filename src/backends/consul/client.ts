import { HttpClient } from '../../http/client.js';
import type { StoreAddress } from '../../topo/address.js';
import type { ConnectSettings } from '../../topo/backend.js';
import { FAILURES } from './error.js';
import { Keys } from './keys.js';
import { Member } from './member.js';
import { Patience } from './patience.js';

/** Milliseconds of one blocking query, unless the settings say otherwise, as in Vitess. */
const POLL_MS = 30_000;
/** Milliseconds that Consul takes for the shortest. */
const LOCK_DELAY_MS = 1;
const LOCK_TTL_MS = 10_000;

/** The servers of one store. */
export class ConsulClient extends HttpClient<Member> {
  readonly keys: Keys;
  readonly pollMs: number;
  readonly lockTtlMs: number;
  readonly lockDelayMs: number;
  readonly random: ConnectSettings['random'];

  constructor(address: StoreAddress, settings: ConnectSettings) {
    const patience = new Patience(settings.clock);
    super(address, settings, {
      failures: FAILURES,
      make: (server) => new Member(server, settings, patience),
    });
    this.keys = new Keys(this.context.store, address.root);
    this.pollMs = settings.watchPollMs ?? POLL_MS;
    this.lockTtlMs = settings.lockTtlMs ?? LOCK_TTL_MS;
    this.lockDelayMs = settings.lockDelayMs ?? LOCK_DELAY_MS;
    this.random = settings.random;
  }
}
