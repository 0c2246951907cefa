import { loadBackend } from '../backends/registry.js';
import type { StoreAddress } from '../topo/address.js';
import type { ConnectSettings, Stores } from '../topo/backend.js';
import { withDeadline } from '../topo/wrappers/deadline.js';
import { withReadOnly } from '../topo/wrappers/read-only.js';
import { withRetry } from '../topo/wrappers/retry.js';

/**
 * Stores as the commands use them: every connection repeats what is safe to repeat, within the time of one request, and
 * one that is only read from refuses to write.
 */
export function storesFor(settings: ConnectSettings, access: 'read' | 'write'): Stores {
  return {
    async open(address: StoreAddress) {
      const backend = await loadBackend(address.implementation);
      const connection = await backend.connect(address, settings);
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
