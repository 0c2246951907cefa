import { connect as connectTls } from 'node:tls';

/** Milliseconds for which an answer is waited for. */
const LISTEN_MS = 1_000;

/** Whether a server, `host:port`, speaks TLS, whatever its certificate. False, too, when it says nothing for some moments. */
export function speaksTls(endpoint: string): Promise<boolean> {
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(endpoint) ?? [];
  return new Promise((resolve) => {
    // Nothing is sent over this connection: whose certificate it is does not matter.
    const socket = connectTls({ host, port: Number(port), rejectUnauthorized: false });
    const answer = (found: boolean) => {
      socket.destroy();
      resolve(found);
    };
    socket.setTimeout(LISTEN_MS, () => answer(false));
    socket.once('secureConnect', () => answer(true));
    socket.once('error', (error: NodeJS.ErrnoException) => answer(/ALERT/.test(error.code ?? '')));
    socket.once('close', () => answer(false));
  });
}
