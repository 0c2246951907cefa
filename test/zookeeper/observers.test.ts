import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CreateMode, ZkCode, type ZooKeeperClient } from '../../src/zookeeper/client.js';
import { connectOwnClient } from '../../src/zookeeper/own.js';
import { available, type Cluster, fourLetterWord, startZooKeeper } from '../servers/index.js';
import { closingConnect } from './clients.js';
import { eventually, failure, OPEN, uniquePath } from './support.js';

const PATIENCE_MS = 40_000;
const TEST_MS = 120_000;
/** The members' own patience: a leader that waits for a busy machine is no leader that is gone. */
const CONFIG = { tickTime: '500', initLimit: '60', syncLimit: '40', maxSessionTimeout: '60000' };

describe.runIf(available.zookeeper('3.8'))(
  'an ensemble of three with an observer',
  { timeout: TEST_MS },
  () => {
    let ensemble: Cluster;
    beforeAll(async () => {
      ensemble = await startZooKeeper({ version: '3.8', members: 3, observers: 1, config: CONFIG });
    });
    afterAll(() => ensemble?.stop());
    const connect = closingConnect(connectOwnClient, () => ensemble.servers);
    const addresses = (): { readonly observer: string; readonly voters: readonly string[] } => {
      const all = ensemble.members.map(({ address }) => address);
      return { observer: all[3] ?? '', voters: all.slice(0, 3) };
    };
    /** One client of the observer, and one of the voters. */
    const both = async (): Promise<{ observing: ZooKeeperClient; voting: ZooKeeperClient; path: string }> => {
      const { observer, voters } = addresses();
      const settings = { sessionTimeoutMs: 60_000, connectTimeoutMs: PATIENCE_MS };
      const observing = await connect({ ...settings, servers: [observer] });
      const voting = await connect({ ...settings, servers: voters });
      const path = uniquePath();
      await voting.create({ path, data: Buffer.from('0'), acl: OPEN });
      await observing.sync(path);
      return { observing, voting, path };
    };

    it('has one that observes and does not vote', async () => {
      expect(await fourLetterWord(addresses().observer, 'srvr')).toContain('Mode: observer');
    });

    it('serves reads from the observer while the voters serve writes, and both in one order', async () => {
      const { observing, voting, path } = await both();
      const count = 200;
      const writing = (async () => {
        for (let i = 1; i <= count; i++) await voting.setData(path, Buffer.from(String(i)), -1);
      })();
      let last = 0;
      const reading = eventually(async () => {
        const { data, stat } = await observing.getData(path);
        const seen = Number(data);
        expect(stat.version).toBe(seen);
        expect(seen).toBeGreaterThanOrEqual(last);
        last = seen;
        return seen === count;
      }, PATIENCE_MS);
      await Promise.all([writing, reading]);
    });

    it('takes writes at the observer, which the voters have after a sync', async () => {
      const { observing, voting, path } = await both();
      await observing.multi([
        { type: 'setData', path, data: Buffer.from('1'), version: 0 },
        { type: 'create', path: `${path}/a`, data: null, acl: OPEN },
      ]);
      await voting.sync(path);
      expect((await voting.getData(path)).data?.toString()).toBe('1');
      expect((await voting.getChildren(path)).children).toEqual(['a']);
    });

    it('tells watches at the observer of writes at the voters', async () => {
      const { observing, voting, path } = await both();
      const told: string[] = [];
      await observing.addWatch(path, { recursive: true }, ({ signal, path: at }) =>
        told.push(`${signal} ${at}`),
      );
      await observing.getChildren(path, { watcher: (signal) => told.push(signal) });
      await voting.create({ path: `${path}/a`, data: null, acl: OPEN });
      await eventually(() => told.length === 2, PATIENCE_MS);
      expect(told.toSorted()).toEqual(['childrenChanged', `created ${path}/a`]);
    });

    it('keeps a session that moves from a voter to the observer', async () => {
      const { voting, path } = await both();
      await voting.create({ path: `${path}/e`, data: null, acl: OPEN, mode: CreateMode.Ephemeral });
      const { session } = voting;
      await voting.detach();
      const moved = await connect({
        servers: [addresses().observer],
        session,
        renewSession: false,
        sessionTimeoutMs: 60_000,
      });
      expect(moved.sessionId).toBe(session.id);
      expect((await moved.exists(`${path}/e`)).stat?.ephemeralOwner).toBe(session.id);
    });

    it('refuses writes on a connection of a follower from which the session has moved to another server', async () => {
      const { voters, observer } = addresses();
      const modes = await Promise.all(voters.map((address) => fourLetterWord(address, 'srvr')));
      const follower = voters.find((_, i) => modes[i]?.includes('Mode: follower')) ?? '';
      const settings = { sessionTimeoutMs: 60_000, connectTimeoutMs: PATIENCE_MS };
      const old = await connect({ ...settings, servers: [follower] });
      const path = uniquePath();
      await old.create({ path, data: Buffer.from('old'), acl: OPEN });
      const moved = await connect({ ...settings, servers: [observer], session: old.session });
      await moved.sync(path);
      const refused = await failure(old.setData(path, Buffer.from('late'), -1));
      expect(refused).toMatchObject({ code: ZkCode.ConnectionLoss, sent: true });
      await old.detach();
      const other = await connect({ ...settings, servers: voters });
      await other.sync(path);
      expect((await other.getData(path)).data?.toString()).toBe('old');
    });

    it('goes on without the observer, and the observer does not go on without the voters', async () => {
      const { voting, path } = await both();
      const [first, second, , observer] = ensemble.members;
      observer?.freeze();
      await voting.setData(path, Buffer.from('without'), -1);
      observer?.thaw();
      await Promise.all([first?.kill(), second?.kill()]);
      try {
        await eventually(
          () => fourLetterWord(addresses().observer, 'srvr').then((answer) => !answer.includes('Mode:')),
          PATIENCE_MS,
        );
        const servers = [addresses().observer];
        expect((await failure(connect({ servers, connectTimeoutMs: 1_500 }))).code).toBe(
          ZkCode.ConnectionLoss,
        );
      } finally {
        await Promise.all([first?.restart(), second?.restart()]);
      }
      const again = await connect({ servers: [addresses().observer], connectTimeoutMs: PATIENCE_MS });
      await again.sync(path);
      expect((await again.getData(path)).data?.toString()).toBe('without');
    });
  },
);
