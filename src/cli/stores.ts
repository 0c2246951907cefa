import { loadBackend } from '../backends/registry.js';
import { type StoreAddress, storeName } from '../topo/address.js';
import type { Stores } from '../topo/backend.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { withDeadline } from '../topo/wrappers/deadline.js';
import { withLocksOnly, withReadOnly } from '../topo/wrappers/read-only.js';
import { withRetry } from '../topo/wrappers/retry.js';
import type { SideSettings } from './login.js';

/** Told of each failure after which a request to a scope's store is sent again. */
export type OnRetry = (scope: string, error: unknown) => void;

/**
 * What a command does with a store. `read`: it has to be there. `plan`: read as well, for what may make it later. `lock`: locks are
 * taken, and nothing else is written.
 */
export type Access = 'read' | 'plan' | 'lock' | 'write';

/**
 * Stores as the commands use them: every connection repeats what is safe to repeat, within the time of one request, and
 * one that is only read from refuses to write. Opening ends with Interrupted as soon as `signal` fires.
 */
export function storesFor(
  settings: SideSettings,
  access: Access,
  signal?: AbortSignal,
  onRetry?: OnRetry,
): Stores {
  /** What a backend is given for the store of a scope, which may have a token of its own. */
  const scoped = (scope: string) => {
    const consulToken = settings.consulTokens?.get(scope) ?? settings.consulToken;
    return { ...settings, consulToken, scope };
  };
  return {
    async open(address, scope, global, cells) {
      const backend = await loadBackend(address.implementation);
      const mustExist = access === 'read';
      const opening = backend.connect(address, { ...scoped(scope), global, cells, mustExist });
      const connection = await untilAborted(opening, address, signal);
      const { clock, requestTimeoutMs: timeoutMs } = settings;
      const retried = onRetry === undefined ? undefined : (error: unknown) => onRetry(scope, error);
      const retrying = withDeadline(withRetry(connection, { ...settings, onRetry: retried }), {
        clock,
        timeoutMs,
      });
      if (access === 'lock') return withLocksOnly(retrying);
      return access === 'write' ? retrying : withReadOnly(retrying);
    },
    async openNative(address: StoreAddress, scope: string) {
      const backend = await loadBackend(address.implementation);
      if (backend.openNative === undefined) throw noNativeView(address);
      return untilAborted(backend.openNative(address, scoped(scope)), address, signal);
    },
    async health(address: StoreAddress, scope: string) {
      const backend = await loadBackend(address.implementation);
      return backend.health?.(address, scoped(scope));
    },
    async cellAddress(global: StoreAddress, cell: string) {
      const backend = await loadBackend(global.implementation);
      return backend.cellAddress?.(global, cell);
    },
  };
}

/** The connection, unless the signal is first: then it is closed when it opens after all. */
function untilAborted<C extends { close(): Promise<void> }>(
  opening: Promise<C>,
  address: StoreAddress,
  signal: AbortSignal | undefined,
): Promise<C> {
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

function noNativeView(address: StoreAddress): TopologyError {
  const message = `${address.implementation} has no native view: its canonical tree is all there is`;
  return new TopologyError(ErrorCode.Unsupported, message, {
    store: storeName(address),
    hint: 'leave --native out',
  });
}
