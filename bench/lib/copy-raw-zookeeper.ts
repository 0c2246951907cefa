import type { MultiRead, ZooKeeperClient } from '../../src/zookeeper/client.js';
import { compiled } from './compiled.js';
import { type Side, tabletsRoot } from './copy-place.js';
import type { RawRecord, RawStore } from './copy-raw.js';

const CONNECTIONS = 2;
const READS_IN_FLIGHT = 4;
const READS = 512;
const WRITES = 256;

const world = (perms: number) => [{ perms, scheme: 'world', id: 'anyone' }];
const FILE_ACL = world(19);
const DIRECTORY_ACL = world(31);

function module() {
  return compiled<typeof import('../../src/zookeeper/own.js')>('zookeeper/own.js');
}

/** Loads the client, as those of the other stores are before anything is measured. */
export async function loadRawZooKeeper(): Promise<void> {
  await module();
}

/** The project's own ZooKeeper client: multiReads and transactions in flight over several connections. */
export async function rawZooKeeper(side: Side): Promise<RawStore> {
  const { connectOwnClient } = await module();
  const open = () => connectOwnClient({ servers: [side.server] });
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, open));
  const root = tabletsRoot(side);
  let turn = 0;
  const next = (): ZooKeeperClient => {
    const client = clients[turn++ % clients.length];
    if (client === undefined) throw new Error('no client');
    return client;
  };
  const read = async (use: Parameters<RawStore['read']>[0], readsAt: (path: string) => MultiRead[]) => {
    const { children } = await next().getChildren(root);
    let begin = 0;
    const work = async () => {
      while (begin < children.length) {
        const names = children.slice(begin, begin + READS);
        begin += READS;
        const { results } = await next().multiRead(names.flatMap((name) => readsAt(`${root}/${name}`)));
        const each = results.length / names.length;
        await use(
          names.flatMap((name, i): RawRecord[] => {
            const result = results[i * each];
            return result?.type === 'getData' && result.data !== null ? [{ name, bytes: result.data }] : [];
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: READS_IN_FLIGHT }, work));
  };
  return {
    // Tablet directories hold no data: nothing is lost by not reading them.
    read: (use) => read(use, (path) => [{ type: 'getData', path: `${path}/Tablet` }]),
    // What each of them tells of itself: whether it holds data all the same, and how many children.
    readAll: (use) =>
      read(use, (path) => [
        { type: 'getData', path: `${path}/Tablet` },
        { type: 'getData', path },
      ]),
    transaction: { records: WRITES, inFlight: 4 },
    async prepare() {
      const segments = root.split('/').slice(1);
      const paths = segments.map((_, i) => `/${segments.slice(0, i + 1).join('/')}`);
      for (const path of paths)
        if ((await next().exists(path)).stat === undefined)
          await next().create({ path, data: null, acl: DIRECTORY_ACL });
    },
    async write(records) {
      await next().multi(
        records.flatMap(({ name, bytes }) => [
          { type: 'create', path: `${root}/${name}`, data: null, acl: DIRECTORY_ACL },
          { type: 'create', path: `${root}/${name}/Tablet`, data: bytes, acl: FILE_ACL },
        ]),
      );
    },
    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
