/**
 * The process that reads with the `zookeeper` package for another one, which forks it. An answer of the servers, or their
 * going away, can abort a process that has the addon in it: this one may.
 */

import { ZkCode, ZooKeeperError } from './client.js';
import { loadAddon } from './native-addon.js';
import { type NativeRequest, NativeSession } from './native-session.js';
import {
  type FromReader,
  packResults,
  type RawResult,
  type ReaderSettings,
  type ToReader,
  told,
} from './reader-messages.js';
import { isOfOneNode } from './reads.js';
import { fillIn } from './settings.js';

const addon = loadAddon();
addon.catch(() => {});
/** Undefined while it connects. */
const sessions = new Map<number, NativeSession | undefined>();

// What a terminal sends to all of a command's processes is for the command to act upon, which may still want to read.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
// However the other process ends, the channel does. A session that is left to expire would move the store's position later.
process.on('disconnect', () => {
  for (const session of sessions.values()) session?.close();
  process.exit();
});
process.on('message', (message: ToReader) => {
  if (message.type === 'open') void open(message.reader, message.settings);
  else if (message.type === 'read') void read(message);
  else close(message.reader);
});

async function open(reader: number, settings: ReaderSettings): Promise<void> {
  sessions.set(reader, undefined);
  try {
    const { servers, sessionTimeoutMs, connectTimeoutMs, auth } = settings;
    const session = await NativeSession.start(
      await addon,
      fillIn({
        servers,
        auth,
        ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
        ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
      }),
    );
    if (!sessions.has(reader)) session.close();
    else {
      sessions.set(reader, session);
      send({ type: 'opened', reader, code: 0, why: '' });
    }
  } catch (error) {
    send({ type: 'opened', reader, ...told(error) });
  }
}

function close(reader: number): void {
  sessions.get(reader)?.close();
  sessions.delete(reader);
}

async function read({ reader, call, ...request }: Extract<ToReader, { type: 'read' }>): Promise<void> {
  try {
    const session = sessions.get(reader);
    // Nothing is waited for here: whoever asks has another way to read.
    if (session?.isConnected !== true)
      throw new ZooKeeperError(ZkCode.ConnectionLoss, 'the package is not connected');
    const results = await readAll(session, request);
    send({ type: 'answer', call, session: session.credentials.id, results: packResults(results) });
  } catch (error) {
    send({ type: 'failed', call, ...told(error) });
  }
}

/** Handed to the addon in one go, and so answered in order: each read by a server that had done the sync. */
async function readAll(
  session: NativeSession,
  { sync, reads, timeoutMs }: Pick<Extract<ToReader, { type: 'read' }>, 'sync' | 'reads' | 'timeoutMs'>,
): Promise<RawResult[]> {
  const options = { timeoutMs };
  const synced = sync
    ? session.request<void>({
        name: 'sync',
        path: '/',
        options,
        start: (native, done) => native.a_sync('/', (code) => done(code, () => {})),
      })
    : undefined;
  const [results] = await Promise.all([
    Promise.all(
      reads.map(({ type, path }) =>
        readOne(session, {
          name: type,
          path,
          options,
          start: (native, done) =>
            type === 'getData'
              ? native.a_get(path, false, (code, _, stat, data) => done(code, () => ({ type, data, stat })))
              : native.a_get_children2(path, false, (code, _, children, stat) =>
                  done(code, () => ({ type, children, stat })),
                ),
        }),
      ),
    ),
    synced,
  ]);
  return results;
}

async function readOne(session: NativeSession, request: NativeRequest<RawResult>): Promise<RawResult> {
  try {
    return await session.request(request);
  } catch (error) {
    if (error instanceof ZooKeeperError && isOfOneNode(error.code))
      return { type: 'error', code: error.code };
    throw error;
  }
}

function send(message: FromReader): void {
  process.send?.(message);
}
