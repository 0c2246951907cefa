import { CreateMode } from '../../src/zookeeper/client.js';
import { compiled } from './compiled.js';
import { type Contender, VALUE } from './operations.js';

const world = (perms: number) => [{ perms, scheme: 'world', id: 'anyone' }];
/** As Vitess gives them to files and directories. */
const FILE_ACL = world(19);
const DIRECTORY_ACL = world(31);
/** Reads in one request. */
const READS = 128;
const ANY_VERSION = -1;

/** A record of a scan. */
interface Read {
  readonly path: string;
  readonly data: Buffer;
  readonly version: number;
  readonly czxid: bigint;
}

/** The project's own ZooKeeper client. */
export async function rawZooKeeper(servers: string, root: string): Promise<Contender> {
  const { connectOwnClient } =
    await compiled<typeof import('../../src/zookeeper/own.js')>('zookeeper/own.js');
  const client = await connectOwnClient({ servers: [servers] });
  const lockClient = await connectOwnClient({ servers: [servers], renewSession: false });
  const states = new Map<string, { version: number; czxid: bigint }>();
  const at = (path: string) => `${root}/${path}`;
  return {
    get: (path) => client.getData(at(path)),
    create: (path) => createIn(path),
    update: (path) => client.setData(at(path), VALUE, ANY_VERSION),
    // The data version alone would take a re-created record for the one that was read.
    async updateIf(path) {
      const { stat: found } = await client.exists(at(path));
      const expected = states.get(path) ?? found;
      if (expected === undefined || found?.czxid !== expected.czxid)
        throw new Error(`${path} is another one`);
      const { stat } = await client.setData(at(path), VALUE, expected.version);
      if (stat.czxid !== expected.czxid) throw new Error(`${path} is another one`);
      states.set(path, stat);
    },
    async scan(directory) {
      await client.sync('/');
      const records = await recordsBelow(at(directory));
      await client.sync('/');
      return records.length;
    },
    batch: (paths) =>
      client.multi(paths.map((path) => ({ type: 'create', path: at(path), data: VALUE, acl: FILE_ACL }))),
    // The locks have a session of their own; what is read before the next one must not be older than the last.
    async lockAndUnlock(directory) {
      const [above, locks] = [at(directory), at(`${directory}/locks`)];
      const [, found, queue] = await Promise.all([
        client.sync('/'),
        client.getData(above),
        client.exists(locks),
      ]);
      if (found.stat.numChildren === 0 || queue.stat !== undefined)
        throw new Error(`${directory} cannot be locked now`);
      const mode = CreateMode.EphemeralSequential;
      const made = await lockClient.multi([
        { type: 'create', path: locks, data: null, acl: DIRECTORY_ACL },
        { type: 'create', path: `${locks}/`, data: VALUE, acl: FILE_ACL, mode },
      ]);
      const [, entry] = made.results;
      if (entry?.type !== 'create') throw new Error('the answer to a creation is another one');
      const { path } = entry;
      const [mine, left] = await Promise.all([lockClient.exists(path), lockClient.exists(locks)]);
      if (mine.stat?.czxid !== made.zxid || left.stat?.numChildren !== 1)
        throw new Error(`${directory} was locked by somebody else`);
      await lockClient.multi([
        { type: 'delete', path, version: mine.stat.version },
        { type: 'delete', path: locks, version: left.stat.version },
      ]);
      const { stat } = await lockClient.getData(above);
      if (stat.numChildren === 0) await lockClient.delete(above, stat.version);
    },
    async lockRecipe(directory) {
      const locks = at(`${directory}/locks`);
      await client.create({ path: locks, data: null, acl: DIRECTORY_ACL });
      const mode = CreateMode.EphemeralSequential;
      const { path } = await client.create({ path: `${locks}/`, data: VALUE, acl: FILE_ACL, mode });
      const { children } = await client.getChildren(locks);
      if (children.length !== 1) throw new Error(`${directory} is locked by somebody else`);
      await client.delete(path, ANY_VERSION);
      await client.delete(locks, ANY_VERSION);
    },
    async close() {
      await Promise.all([client.close(), lockClient.close()]);
    },
  };

  /** With their bytes and versions, in no order. Nobody tells beforehand that all of them are leaves. */
  async function recordsBelow(directory: string): Promise<Read[]> {
    const { children } = await client.getChildren(directory);
    const requests: string[][] = [];
    for (let i = 0; i < children.length; i += READS)
      requests.push(children.slice(i, i + READS).map((name) => `${directory}/${name}`));
    const read = async (paths: readonly string[]): Promise<Read[]> => {
      const { results } = await client.multiRead(paths.map((path) => ({ type: 'getData', path })));
      const records: Read[] = [];
      for (const [i, result] of results.entries()) {
        const path = paths[i] ?? '';
        if (result.type !== 'getData') throw new Error(`${path} cannot be read`);
        const { data, stat } = result;
        if (data !== null) records.push({ path, data, version: stat.version, czxid: stat.czxid });
        if (stat.numChildren > 0) records.push(...(await recordsBelow(path)));
      }
      return records;
    };
    return (await Promise.all(requests.map(read))).flat();
  }

  async function createIn(path: string): Promise<void> {
    await client.create({ path: at(path), data: VALUE, acl: FILE_ACL });
  }
}
