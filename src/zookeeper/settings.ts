import { parseServer, type ServerAddress } from './address.js';
import type { ZooKeeperSettings } from './client.js';
import { badArguments } from './errors.js';
import { readSecurity, type Security } from './tls.js';

/** Settings with every default filled in, the servers read and in random order. */
export type FullSettings = Required<Omit<ZooKeeperSettings, 'servers' | 'tls'>> & {
  readonly servers: readonly ServerAddress[];
  readonly security: Security | undefined;
};

/** Throws BadArguments for a list of servers that is empty or cannot be read, and for certificates that cannot be used. */
export function fillIn(settings: ZooKeeperSettings): FullSettings {
  if (settings.servers.length === 0) throw badArguments('no ZooKeeper server was given');
  const random = settings.random ?? Math.random;
  return {
    servers: shuffled(settings.servers.map(parseServer), random),
    sessionTimeoutMs: settings.sessionTimeoutMs ?? 10_000,
    connectTimeoutMs: settings.connectTimeoutMs ?? 10_000,
    requestTimeoutMs: settings.requestTimeoutMs ?? 15_000,
    auth: settings.auth ?? [],
    maxRequestBytes: settings.maxRequestBytes ?? 1_048_575,
    maxAnswerBytes: settings.maxAnswerBytes ?? 256 * 1024 * 1024,
    random,
    security: settings.tls && readSecurity(settings.tls),
    session: settings.session,
    renewSession: settings.renewSession ?? true,
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
