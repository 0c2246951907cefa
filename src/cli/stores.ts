import { loadBackend } from '../backends/registry.js';
import { type StoreAddress, storeName } from '../topo/address.js';
import type { ConnectSettings, Stores } from '../topo/backend.js';
import type { Connection } from '../topo/connection.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { withDeadline } from '../topo/wrappers/deadline.js';
import { withReadOnly } from '../topo/wrappers/read-only.js';
import { withRetry } from '../topo/wrappers/retry.js';

/**
 * Stores as the commands use them: every connection repeats what is safe to repeat, within the time of one request, and
 * one that is only read from refuses to write. Opening ends with Interrupted as soon as `signal` fires.
 */
export function storesFor(settings: ConnectSettings, access: 'read' | 'write', signal?: AbortSignal): Stores {
  return {
    async open(address: StoreAddress) {
      const backend = await loadBackend(address.implementation);
      const connection = await untilAborted(backend.connect(address, settings), address, signal);
      const { clock, requestTimeoutMs: timeoutMs } = settings;
      const retrying = withDeadline(withRetry(connection, settings), { clock, timeoutMs });
      return access === 'read' ? withReadOnly(retrying) : retrying;
    },
    async cellAddress(global: StoreAddress, cell: string) {
      const backend = await loadBackend(global.implementation);
      return backend.cellAddress?.(global, cell);
    },
  };
}

/** The connection, unless the signal is first: then it is closed when it opens after all. */
function untilAborted(
  opening: Promise<Connection>,
  address: StoreAddress,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  if (signal === undefined) return opening;
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(
        new TopologyError(ErrorCode.Interrupted, 'interrupted while connecting', {
          store: storeName(address),
        }),
      );
      opening.then(
        (connection) => connection.close(),
        () => {},
      );
    };
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    opening.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
