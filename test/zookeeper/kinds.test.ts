import { describe, expect, it } from 'vitest';
import { type CreateArguments, CreateMode, ZkCode } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available } from '../servers/index.js';
import { closingConnect, describeClients, whileZooKeeperRuns } from './clients.js';
import { eventually, failure, OPEN, uniquePath } from './support.js';

/** The server looks for nodes to remove this often; every minute by default. */
const LOOK_OFTEN = '-Dznode.container.checkIntervalMs=200';
const SWITCHED_OFF = '-Dzookeeper.extendedTypesEnabled=false';
const SMALL = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const PATIENCE_MS = 30_000;

const mortal = (path: string, ttlMs: number): CreateArguments => ({
  path,
  data: Buffer.from('v'),
  acl: OPEN,
  mode: CreateMode.PersistentWithTtl,
  ttlMs,
});

describeClients((context) => {
  const { name, modern } = context;
  const can = name !== 'native' && modern;
  const refusal = name !== 'native' ? ZkCode.Unimplemented : ZkCode.Unsupported;

  describe('nodes with a time to live', () => {
    it(`are ${can ? 'created' : 'refused by name, and the client works on'}`, async () => {
      const { client, base } = context;
      const path = `${base}/ttl`;
      if (can) {
        const created = await client.create(mortal(path, 60_000));
        expect(created).toMatchObject({ path, stat: { version: 0 } });
        expect((await client.getData(path)).data?.toString()).toBe('v');
      } else {
        expect((await failure(client.create(mortal(path, 60_000)))).code).toBe(refusal);
        expect((await client.exists(path)).stat).toBeUndefined();
      }
    });

    it.runIf(name !== 'native')(`are ${can ? 'created' : 'refused'} by a multi too`, async () => {
      const { client, base } = context;
      const path = `${base}/ttl`;
      const multi = client.multi([{ type: 'create', ...mortal(path, 60_000) }]);
      if (can) expect((await multi).results).toMatchObject([{ type: 'create', path }]);
      else expect(await failure(multi)).toMatchObject({ code: refusal, path });
    });
  });

  it.runIf(can)(
    'tells ephemeral nodes by their Stat; containers, nodes with a time to live and plain ones all look alike',
    async () => {
      const { client, base } = context;
      const looks = async (args: Partial<CreateArguments>) => {
        const path = `${base}/${args.mode}`;
        await client.create({ path, data: Buffer.from('v'), acl: OPEN, ...args });
        const { stat } = await client.getData(path);
        const { version, cversion, aversion, ephemeralOwner, dataLength, numChildren } = stat;
        return { version, cversion, aversion, ephemeralOwner, dataLength, numChildren };
      };
      const plain = await looks({ mode: CreateMode.Persistent });
      expect(plain.ephemeralOwner).toBe(0n);
      expect(await looks({ mode: CreateMode.Container })).toEqual(plain);
      expect(await looks({ mode: CreateMode.PersistentWithTtl, ttlMs: 60_000 })).toEqual(plain);
      const ephemeral = await looks({ mode: CreateMode.Ephemeral });
      expect(ephemeral).toEqual({ ...plain, ephemeralOwner: client.sessionId });
    },
  );
});

/** A server of its own for each version. Gives what connects to it. */
function describeServer(title: string, flag: string, sentences: (connect: Connect) => void): void {
  describe.each(['3.8', '3.9'] as const)(`ZooKeeper %s that ${title}`, (version) => {
    describe.runIf(available.zookeeper(version))('', () => {
      const server = whileZooKeeperRuns(() => ({ version, javaFlags: [...SMALL, flag] }));
      sentences(closingConnect(connectOwnClient, () => server().servers));
    });
  });
}
type Connect = ReturnType<typeof closingConnect>;

describeServer('looks often what is to be removed', LOOK_OFTEN, (connect) => {
  it('removes a node whose time to live is over, and tells its watchers', async () => {
    const client = await connect();
    const path = uniquePath();
    await client.create(mortal(path, 300));
    const signals: string[] = [];
    await client.exists(path, { watcher: (signal) => signals.push(signal) });
    await eventually(() => signals.length > 0, PATIENCE_MS);
    expect(signals).toEqual(['deleted']);
    expect((await client.exists(path)).stat).toBeUndefined();
  });

  it('keeps a node with a time to live as long as it has children', async () => {
    const client = await connect();
    const path = uniquePath();
    await client.create(mortal(path, 300));
    await client.create({ path: `${path}/child`, data: null, acl: OPEN });
    const other = uniquePath();
    await client.create(mortal(other, 300));
    await eventually(async () => (await client.exists(other)).stat === undefined, PATIENCE_MS);
    expect((await client.exists(path)).stat?.numChildren).toBe(1);
    await client.delete(`${path}/child`, -1);
    await eventually(async () => (await client.exists(path)).stat === undefined, PATIENCE_MS);
  });

  it('removes a container once its last child is gone, and not one that never had any', async () => {
    const client = await connect();
    const [used, unused] = [uniquePath(), uniquePath()];
    for (const path of [used, unused]) {
      await client.create({ path, data: null, acl: OPEN, mode: CreateMode.Container });
    }
    await client.create({ path: `${used}/child`, data: null, acl: OPEN });
    await client.delete(`${used}/child`, -1);
    await eventually(async () => (await client.exists(used)).stat === undefined, PATIENCE_MS);
    expect((await client.exists(unused)).stat).toBeDefined();
  });

  it.each([
    { mode: CreateMode.PersistentWithTtl },
    { mode: CreateMode.PersistentWithTtl, ttlMs: 0 },
    { mode: CreateMode.PersistentWithTtl, ttlMs: 1.5 },
    { mode: CreateMode.PersistentWithTtl, ttlMs: 2 ** 40 },
    { mode: CreateMode.Ephemeral, ttlMs: 1_000 },
    { ttlMs: 1_000 },
  ])('is not asked for %o', async (kind) => {
    const client = await connect();
    const path = uniquePath();
    const args = { path, data: null, acl: OPEN, ...kind };
    expect(await failure(client.create(args))).toMatchObject({ code: ZkCode.BadArguments, path });
    const multi = client.multi([{ type: 'create', ...args }]);
    expect(await failure(multi)).toMatchObject({ code: ZkCode.BadArguments, path });
    expect((await client.exists(path)).stat).toBeUndefined();
  });
});

describeServer('has times to live switched off', SWITCHED_OFF, (connect) => {
  it('answers Unimplemented, and goes on', async () => {
    const client = await connect();
    const path = uniquePath();
    expect((await failure(client.create(mortal(path, 60_000)))).code).toBe(ZkCode.Unimplemented);
    await client.create({ path, data: null, acl: OPEN, mode: CreateMode.Container });
    expect((await client.exists(path)).stat?.ephemeralOwner).toBe(0n);
  });
});
