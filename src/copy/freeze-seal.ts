import { randomUUID } from 'node:crypto';
import type { Clock } from '../topo/clock.js';
import type { CallOptions, Connection } from '../topo/connection.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import { SEAL, type SealRequest } from '../topo/seal.js';
import { GLOBAL, type Topology } from '../topo/topology.js';
import { sleep } from './pace.js';

/** Milliseconds after which it is not tried again to take a seal off: longer than a store takes to elect a leader. */
const UNSEAL_MS = 60_000;
const RETRY_MS = 500;

/** A store of the source that stays sealed, and why. */
export interface StillSealed {
  readonly scope: string;
  readonly store: string;
  readonly error: unknown;
}

/** Who seals. */
export type Sealer = Pick<SealRequest, 'host' | 'user'> & { readonly clock: Clock };

/** The seal of all stores of a source: all of them are sealed, or none. */
export class SourceSeal {
  readonly #id = randomUUID();
  readonly #sealer: Sealer;
  /** By scope; those that may be sealed. */
  readonly #stores = new Map<string, Connection>();
  readonly #exempt = new Set<string>();
  #whole = false;

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** Whether every store refuses the writes of others. */
  get isOn(): boolean {
    return this.#whole;
  }

  /** Who may write all the same. */
  get exempt(): readonly string[] {
    return [...this.#exempt];
  }

  /** Does beforehand what can be done of {@link putOn}. What cannot be sealed is told there. */
  async prepare(source: Topology, call: CallOptions): Promise<void> {
    const stores = [...(await storesOf(source, call))].filter(([, store]) => store.capabilities.seal);
    await Promise.all(
      stores.map(([scope, store]) =>
        store.prepareSeal(kindOf(scope), call).catch((error: unknown) => {
          if (!isTopologyError(error, ErrorCode.Unsupported, ErrorCode.Unauthorized)) throw error;
        }),
      ),
    );
  }

  /**
   * Seals every store. Fails as {@link Connection.seal} does, with Unsupported where one of them cannot be sealed; what was sealed until
   * then is to be taken off by {@link takeOff}.
   */
  async putOn(source: Topology, call: CallOptions): Promise<void> {
    const stores = await storesOf(source, call);
    const { host, user } = this.#sealer;
    const sealing = [...stores].map(async ([scope, store]) => {
      // What fails may be half on.
      if (store.capabilities.seal) this.#stores.set(scope, store);
      const { exempt } = await store.seal({ id: this.#id, scope: kindOf(scope), host, user }, call);
      for (const who of exempt) this.#exempt.add(who);
    });
    const failed = (await Promise.allSettled(sealing)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    this.#whole = true;
  }

  /** LockLost unless every store that was sealed still is. */
  async check(call: CallOptions): Promise<void> {
    await Promise.all(
      [...this.#stores.values()].map(async (store) => {
        const found = await store.sealed(call);
        if (found?.id === this.#id && found.whole) return;
        throw new TopologyError(ErrorCode.LockLost, 'the seal was taken off by somebody else', {
          path: SEAL,
          store: store.store,
          hint: 'somebody may have written since: nothing is certified, freeze again',
        });
      }),
    );
  }

  /** Takes it off everywhere, trying again for a minute; what stays sealed. Never throws, and takes no signal. */
  async takeOff(): Promise<readonly StillSealed[]> {
    this.#whole = false;
    const left = await Promise.all(
      [...this.#stores].map(async ([scope, store]) => {
        try {
          await unsealPatiently(store, this.#id, this.#sealer.clock);
          this.#stores.delete(scope);
          return [];
        } catch (error) {
          return [{ scope, store: store.store, error }];
        }
      }),
    );
    return left.flat();
  }
}

function kindOf(scope: string): SealRequest['scope'] {
  return scope === GLOBAL ? 'global' : 'cell';
}

/** Every store of a topology, by scope. */
export async function storesOf(
  topology: Topology,
  call: CallOptions,
): Promise<ReadonlyMap<string, Connection>> {
  const cells = await topology.cells(call);
  const opened = await Promise.all(
    cells.map(async (cell) => [cell.name, await topology.cell(cell)] as const),
  );
  return new Map([[GLOBAL, topology.global], ...opened]);
}

/** Takes the seal of this id off, as long as the store answers. Not there, or another one in its place: nothing is to be done. */
async function unsealPatiently(store: Connection, id: string, clock: Clock): Promise<void> {
  const until = clock.now() + UNSEAL_MS;
  for (;;) {
    try {
      // As long as a store answers it may take its time.
      await store.unseal({ id });
      return;
    } catch (error) {
      if (!isTopologyError(error, ...PASSING) || clock.now() + RETRY_MS > until) throw error;
      if (error.code === ErrorCode.BadVersion && (await isAnother(store, id))) return;
      await sleep(clock, RETRY_MS, undefined);
    }
  }
}

/** What another try may come through; the last two: somebody else is taking it off. */
const PASSING = [
  ErrorCode.Unavailable,
  ErrorCode.OutcomeUnknown,
  ErrorCode.Timeout,
  ErrorCode.BadVersion,
  ErrorCode.NoNode,
] as const;

async function isAnother(store: Connection, id: string): Promise<boolean> {
  const there = await store.sealed().catch(() => undefined);
  return there !== undefined && there.id !== id;
}

/** The same error, naming what stays sealed. */
export function withSealed(error: unknown, left: readonly StillSealed[]): unknown {
  if (left.length === 0 || !isTopologyError(error)) return error;
  const stores = left.map(({ store }) => store).join(', ');
  return error.withHint(
    `${error.hint === undefined ? '' : `${error.hint}; `}these stores are still sealed, and nobody can write to them: ${stores}; take it off with topo2topo unseal and the source’s address`,
  );
}
