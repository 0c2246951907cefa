import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runConformance } from '../conformance/index.js';
import { within } from '../conformance/tools.js';
import { available, type Cluster, startZooKeeper } from '../servers/index.js';
import { NATIVE_FAULTS, nativeClientBuilt } from '../support/native.js';
import { loudSkip } from '../support/notices.js';
import { openZk2, zk2Subject } from './zk2-subject.js';

loudSkip(NATIVE_FAULTS);

describe.runIf(available.zookeeper('3.8') && nativeClientBuilt())('the zookeeper package', () => {
  runConformance(zk2Subject('3.8', 'native'));

  describe('takes no locks, and', () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await startZooKeeper({ version: '3.8' });
    }, 120_000);
    afterAll(() => cluster?.stop());

    test('sees who holds one, who leads, and who comes to lead', { timeout: 60_000 }, async () => {
      const own = await openZk2(cluster.servers, '/seen');
      const native = await openZk2(cluster.servers, '/seen', { zkClient: 'native' });
      expect(native.capabilities).toMatchObject({ locks: 'none', fencing: false });
      await expect(native.lockName('n', '')).rejects.toMatchObject({ code: 'Unsupported' });
      const lock = await own.lockName('n', 'why');
      await native.position();
      expect(await native.lockQueue(lock.dir)).toMatchObject([
        { path: lock.entry, contents: 'why', holds: true, owner: expect.stringMatching(/^0x[0-9a-f]+$/) },
      ]);
      const leaders = native.watchLeader('vtctld')[Symbol.asyncIterator]();
      expect((await within(20_000, 'a state', leaders.next())).value).toMatchObject({ id: undefined });
      const leading = await own.campaign('vtctld', 'host:1');
      expect((await within(20_000, 'the leader', leaders.next())).value).toMatchObject({ id: 'host:1' });
      expect(await native.leader('vtctld')).toBe('host:1');
      await leaders.return?.();
      await Promise.all([leading.unlock(), lock.unlock()]);
      await Promise.all([own.close(), native.close()]);
    });
  });
});
