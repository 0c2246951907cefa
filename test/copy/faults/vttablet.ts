import { storesFor } from '../../../src/cli/stores.js';
import { parseAddress } from '../../../src/topo/address.js';
import type { Connection } from '../../../src/topo/connection.js';
import { find } from '../../../src/topo/find.js';
import { SETTINGS } from '../../support/topologies.js';
import { type Places, SCOPES } from '../followers.js';

/**
 * Looks at the destination as a vttablet does that starts there: it opens its cell by CellInfo, and then reads what it needs and
 * invents what it misses.
 */
export class StartingTablets {
  readonly #stores: ReadonlyMap<string, Connection>;
  readonly #needed: ReadonlyMap<string, readonly string[]>;

  private constructor(
    stores: ReadonlyMap<string, Connection>,
    needed: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#stores = stores;
    this.#needed = needed;
  }

  /** They will need all that the source has by now, but what `volatile` says may go. */
  static async of({ source, destination }: Places, volatile: RegExp): Promise<StartingTablets> {
    const opened = storesFor(SETTINGS, 'read');
    const open = (place: string) => opened.open(parseAddress(place), 'global');
    const stores = new Map<string, Connection>();
    const needed = new Map<string, string[]>();
    for (const scope of SCOPES) {
      const from = await open(source(scope));
      const paths: string[] = [];
      for await (const { records } of from.scan('')) paths.push(...records.map(({ path }) => path));
      await from.close();
      needed.set(
        scope,
        paths.filter((path) => !volatile.test(path) && !/^cells\/|(^|\/)locks\/|^elections\//.test(path)),
      );
      stores.set(scope, await open(destination(scope)));
    }
    return new StartingTablets(stores, needed);
  }

  /** What one that starts now would find to be missing; empty: it cannot start, since it has no cell, or finds everything. */
  async missing(): Promise<string[]> {
    const global = this.#stores.get('global');
    const cells = SCOPES.filter((scope) => scope !== 'global');
    const found = await Promise.all(
      cells.map((cell) => global && find(global, `cells/${cell}/CellInfo`, {})),
    );
    if (found.every((info) => info === undefined)) return [];
    const missing: string[] = [];
    for (const [scope, store] of this.#stores) {
      const held = new Set<string>();
      for await (const { records } of store.scan('')) for (const { path } of records) held.add(path);
      for (const path of this.#needed.get(scope) ?? []) if (!held.has(path)) missing.push(`${scope}:${path}`);
    }
    return missing;
  }

  async close(): Promise<void> {
    for (const store of this.#stores.values()) await store.close();
  }
}
