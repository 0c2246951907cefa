import { X509Certificate } from 'node:crypto';
import { connect as connectPlain, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import {
  checkServerIdentity,
  connect as connectSecure,
  createSecureContext,
  type SecureContext,
} from 'node:tls';
import type { ZooKeeperTls } from './client.js';
import { badArguments } from './errors.js';

/** {@link ZooKeeperTls}, read. */
export interface Security {
  readonly context: SecureContext;
  readonly serverName: string | undefined;
}

/** Throws BadArguments for certificates and keys that cannot be used. What they hold is in no message. */
export function readSecurity({ ca, cert, key, serverName }: ZooKeeperTls): Security {
  if ((cert === undefined) !== (key === undefined)) {
    throw badArguments('a client certificate and its key are given together or not at all');
  }
  try {
    // Node takes no notice of an authority that it cannot read.
    if (ca !== undefined) new X509Certificate(ca);
    return { context: createSecureContext({ ca, cert, key }), serverName };
  } catch {
    throw badArguments('the certificates or the key given for TLS are no PEM, or do not belong together');
  }
}

/** Opens a connection; `onReady` is called when bytes may be written. */
export function openSocket(
  options: TcpNetConnectOpts,
  security: Security | undefined,
  onReady: () => void,
): Socket {
  if (security === undefined) return connectPlain(options).once('connect', onReady);
  const { context, serverName } = security;
  const socket = connectSecure({
    ...options,
    secureContext: context,
    rejectUnauthorized: true,
    ...(serverName === undefined
      ? {}
      : {
          // An IP address must not be sent as the name that is asked for.
          servername: isIP(serverName) === 0 ? serverName : '',
          checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
        }),
  });
  return socket.once('secureConnect', onReady);
}
