import { badArguments } from './errors.js';

/** Where a server listens. */
export interface ServerAddress {
  /** Name or IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** As it was written. */
  readonly text: string;
}

const DEFAULT_PORT = 2181;

/** Reads `host:port`, `host` (port 2181) or `[IPv6 address]:port`. Throws BadArguments. */
export function parseServer(text: string): ServerAddress {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:/,[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? DEFAULT_PORT);
  if (host === undefined || port < 1 || port > 65_535) {
    throw badArguments(`"${text}" is no ZooKeeper server: host:port is expected`);
  }
  return { host, port, text };
}
