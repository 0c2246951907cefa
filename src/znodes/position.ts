import { connect } from 'node:net';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { Store } from './store.js';

/**
 * Brings the primary session up to date and gives the zxid of the store. A sync is answered when the session's server
 * has what the leader had, with the zxid that this server has reached. `path` is what the caller reads, for errors.
 */
export async function position(
  store: Store,
  options: CallOptions | undefined,
  path?: string,
): Promise<bigint> {
  return store.attempt({ kind: 'read', path }, async () => {
    const { primary } = store.sessions;
    const hidden = !primary.features.replyZxid;
    const asked = hidden ? await askServers(store, options, path) : undefined;
    const { zxid } = await primary.sync('/', store.request(options, path));
    if (!hidden) return zxid;
    if (asked !== undefined) return asked;
    throw new TopologyError(
      ErrorCode.Unsupported,
      'the position of the store cannot be told: the zookeeper package hides it, and no leader answers the command srvr',
      {
        path,
        store: store.context.store,
        hint: 'use --zk-client own, or allow srvr in 4lw.commands.whitelist',
      },
    );
  });
}

/** Longest answer to `srvr` that is waited for. */
const ANSWER_BYTES = 4_096;

/**
 * The highest zxid that any server names, for a client that hides what its answers say. Undefined unless the leader is
 * among them; `srvr` is the one command that every server allows unless told otherwise.
 */
async function askServers(
  store: Store,
  options: CallOptions | undefined,
  path: string | undefined,
): Promise<bigint | undefined> {
  const { timeoutMs = 0 } = store.request(options, path);
  const signal = options?.signal;
  const limit = AbortSignal.timeout(Math.min(Math.ceil(timeoutMs), store.context.defaultTimeoutMs));
  const stop = AbortSignal.any([limit, store.closed, ...(signal === undefined ? [] : [signal])]);
  const answers = await Promise.all(store.servers.map((server) => askServer(server, stop)));
  if (!answers.some((answer) => /^Mode: (leader|standalone)$/m.test(answer))) return undefined;
  const found = answers.flatMap((answer) => /^Zxid: 0x([0-9a-f]{1,16})$/m.exec(answer)?.[1] ?? []);
  return found.map((hex) => BigInt(`0x${hex}`)).reduce(higher, 0n);
}

function higher(a: bigint, b: bigint): bigint {
  return b > a ? b : a;
}

/** What a server answers to `srvr`; empty when it does not. */
function askServer(server: string, signal: AbortSignal): Promise<string> {
  const colon = server.lastIndexOf(':');
  const host = server.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(server.slice(colon + 1)), signal });
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write('srvr'));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.length > ANSWER_BYTES) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer));
  });
}
