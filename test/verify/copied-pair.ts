import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type Places, placesInMemory, plantSample } from '../copy/followers.js';
import { cli } from '../support/cli.js';
import { withStore } from '../support/topologies.js';

/** The sample topology, copied, and a folder for what is said of it. */
export class CopiedPair {
  readonly places: Places;
  /** Addresses of both sides. */
  readonly addresses: readonly string[];
  readonly #folder: string;

  private constructor(places: Places, folder: string) {
    this.places = places;
    this.addresses = [places.source('global'), places.destination('global')];
    this.#folder = folder;
  }

  static async make(): Promise<CopiedPair> {
    const places = placesInMemory();
    await plantSample(places);
    const pair = new CopiedPair(places, mkdtempSync(join(tmpdir(), 'topo2topo-verify-')));
    const copied = await cli(['copy', ...pair.addresses, '--to-cell-root', places.cellRoot, '--allow-locks']);
    expect(copied).toMatchObject({ code: 0 });
    return pair;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** A file. */
  at(name: string): string {
    return join(this.#folder, name);
  }

  /** Writes a record of one side. */
  put(
    side: 'source' | 'destination',
    scope: string,
    path: string,
    bytes: Uint8Array | string,
  ): Promise<void> {
    return withStore(
      this.places[side](scope),
      async (store) => void (await store.update(path, Buffer.from(bytes), null)),
    );
  }

  /** Deletes a record of one side. */
  drop(side: 'source' | 'destination', scope: string, path: string): Promise<void> {
    return withStore(this.places[side](scope), (store) => store.delete(path, null));
  }

  /** Compares, reading once. */
  verify(...more: string[]) {
    return cli(['verify', ...this.addresses, '--settle', '0', ...more]);
  }
}
