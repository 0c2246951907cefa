import { addressFromTriple, type Implementation } from '../../src/topo/address.js';
import { systemClock } from '../../src/topo/clock.js';
import type { Version } from '../../src/topo/version.js';
import { compiled } from './compiled.js';
import { type Contender, VALUE } from './operations.js';

/** A Connection as the commands open it. */
export async function oursContender(
  implementation: Implementation,
  server: string,
  root: string,
): Promise<Contender> {
  const { storesFor } = await compiled<typeof import('../../src/cli/stores.js')>('cli/stores.js');
  const settings = {
    clock: systemClock,
    random: Math.random,
    connectTimeoutMs: 10_000,
    requestTimeoutMs: 15_000,
  };
  const address = addressFromTriple(implementation, server, root);
  const connection = await storesFor(settings, 'write').open(address, 'global');
  const versions = new Map<string, Version>();
  const lockAndUnlock = async (directory: string) => {
    const lock = await connection.lock(directory, 'bench');
    await lock.unlock();
  };
  return {
    get: (path) => connection.get(path),
    create: (path) => connection.create(path, VALUE),
    update: (path) => connection.update(path, VALUE, null),
    async updateIf(path) {
      const version = versions.get(path) ?? (await connection.get(path)).version;
      versions.set(path, await connection.update(path, VALUE, version));
    },
    async scan(directory) {
      let found = 0;
      for await (const { records } of connection.scan(directory)) found += records.length;
      return found;
    },
    batch: (paths) => connection.write(paths.map((path) => ({ type: 'create', path, bytes: VALUE }))),
    lockAndUnlock,
    lockRecipe: lockAndUnlock,
    close: () => connection.close(),
  };
}
