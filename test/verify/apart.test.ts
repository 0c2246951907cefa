import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { storesFor } from '../../src/cli/stores.js';
import { parseAddress } from '../../src/topo/address.js';
import type { Stores } from '../../src/topo/backend.js';
import type { Connection } from '../../src/topo/connection.js';
import type { StoreIdentity } from '../../src/topo/identity.js';
import { Topology } from '../../src/topo/topology.js';
import { DelegatingConnection } from '../../src/topo/wrappers/base.js';
import { verify } from '../../src/verify/verify.js';
import { cli } from '../support/cli.js';
import { SETTINGS, withStore } from '../support/topologies.js';

/** Nothing but what the stores say of themselves tells that they are one: a file has no servers whose versions could be compared. */
test('a file is not equal to itself under another name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  try {
    const [name, other] = ['a', 'b'].map((each) => join(folder, `${each}.topo`));
    await withStore(`file:${name}`, (store) => store.create('metadata/owner', Buffer.from('x')));
    await symlink(name ?? '', other ?? '');
    expect(await cli(['verify', `file:${name}`, `file:${other}`])).toMatchObject({
      code: 4,
      err: expect.stringContaining('the same place'),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a store whose servers give it another name and identity is not equal to itself', async () => {
  const server = `memory://zookeeper:${randomUUID()}`;
  const [own, copied] = [`${server}/vitess/global`, `${server}/copied/global`];
  await withStore(own, (store) => store.create('metadata/owner', Buffer.from('x')));
  const opened = storesFor(SETTINGS, 'read');
  const called = (name: string, at: string): Promise<Topology> => {
    const stores: Stores = {
      ...{ openNative: opened.openNative, health: opened.health, cellAddress: opened.cellAddress },
      open: async () => new Renamed(await opened.open(parseAddress(at), 'global'), name),
    };
    return Topology.open({ global: parseAddress(name), stores });
  };
  const compared = async (at: string) => {
    const [source, destination] = await Promise.all([
      called('zk2://one:2181/vitess/global', own),
      called('zk2://other:2181/vitess/global', at),
    ]);
    return verify({ source, destination, concurrency: 1 });
  };
  // Another root of the same servers, in the same state but for its versions, is another place.
  await withStore(copied, (store) => store.create('metadata/owner', Buffer.from('x')));
  expect((await compared(copied)).equal).toBe(true);
  await expect(compared(own)).rejects.toMatchObject({
    code: 'Guard',
    message: expect.stringContaining('all records, versions and positions agree'),
  });
});

/** A store behind servers that call it otherwise. */
class Renamed extends DelegatingConnection {
  readonly #name: string;

  constructor(inner: Connection, name: string) {
    super(inner);
    this.#name = name;
  }

  override get store(): string {
    return this.#name;
  }

  override async identity(): Promise<StoreIdentity> {
    return { servers: this.#name, root: '1' };
  }
}
