import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { TlsSettings } from '../topo/backend.js';

/** How many sockets to one server may be open at once. */
export interface SocketLimits {
  readonly calls: number;
  readonly polls: number;
}

/** The sockets to one server. */
export interface Sockets {
  /** For requests that are answered at once. */
  readonly calls: HttpAgent;
  /** For requests that hold a socket for as long as nothing changes. */
  readonly polls: HttpAgent;
}

interface Shared extends Sockets {
  users: number;
}

const open = new Map<string, Shared>();

/**
 * Takes the sockets to a server, which all connections of this process to it share: the server counts them together.
 * The answer's `release` gives them back, once; the last one closes them.
 *
 * @param endpoint `host:port`; `tls` undefined: without TLS
 */
export function takeSockets(
  endpoint: string,
  tls: TlsSettings | undefined,
  limits: SocketLimits,
): { readonly sockets: Sockets; readonly release: () => void } {
  const key = `${endpoint} ${tls === undefined ? '' : fingerprint(tls)}`;
  const shared = open.get(key) ?? { ...makeSockets(tls, limits), users: 0 };
  open.set(key, shared);
  shared.users += 1;
  let isReleased = false;
  const release = () => {
    if (isReleased) return;
    isReleased = true;
    shared.users -= 1;
    if (shared.users > 0) return;
    open.delete(key);
    shared.calls.destroy();
    shared.polls.destroy();
  };
  return { sockets: shared, release };
}

function makeSockets(tls: TlsSettings | undefined, { calls, polls }: SocketLimits): Sockets {
  const make = (maxSockets: number) => {
    const options = { keepAlive: true, maxSockets };
    if (tls === undefined) return new HttpAgent(options);
    const { ca, cert, key, serverName } = tls;
    return new HttpsAgent({
      ...options,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    });
  };
  return { calls: make(calls), polls: make(polls) };
}

function fingerprint({ ca, cert, key, serverName }: TlsSettings): string {
  const hash = createHash('sha256');
  for (const part of [ca, cert, key]) hash.update(`${part?.length ?? -1} `).update(part ?? '');
  return hash.update(serverName ?? '').digest('hex');
}
