import { noop } from 'cockatiel';
import { Etcd3, type IRequestOp } from 'etcd3';
import { type Contender, VALUE } from './operations.js';

const REQUEST_MS = 15_000;
const LEASE_SECONDS = '30';

/** etcd3's calls as etcd has them, with Buffers; without its own retries and breaker, which a store must not have. */
export async function rawEtcd(server: string, root: string): Promise<Contender> {
  const client = new Etcd3({
    hosts: `http://${server}`,
    grpcOptions: { 'grpc.max_receive_message_length': -1 },
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + REQUEST_MS }),
    faultHandling: { host: () => noop, global: noop },
  });
  const { kv } = client;
  const lease = client.leaseClient;
  const revisions = new Map<string, string>();
  const keyOf = (path: string) => Buffer.from(`${root}/${path}`);
  const below = (directory: string) => ({
    key: keyOf(`${directory}/`),
    // The character after the slash.
    range_end: keyOf(`${directory}0`),
  });
  const absent = (key: Buffer) => ({ result: 'Equal', target: 'Version', key, version: '0' }) as const;
  const put = (key: Buffer): IRequestOp => ({ request_put: { key, value: VALUE } });
  return {
    get: (path) => kv.range({ key: keyOf(path) }),
    async create(path) {
      const key = keyOf(path);
      must(path, (await kv.txn({ compare: [absent(key)], success: [put(key)] })).succeeded);
    },
    update: (path) => kv.put({ key: keyOf(path), value: VALUE }),
    async updateIf(path) {
      const key = keyOf(path);
      const revision = revisions.get(path) ?? (await kv.range({ key })).kvs[0]?.mod_revision ?? '0';
      const { succeeded, header } = await kv.txn({
        compare: [{ result: 'Equal', target: 'Mod', key, mod_revision: revision }],
        success: [put(key)],
      });
      must(path, succeeded);
      revisions.set(path, header.revision);
    },
    scan: async (directory) => (await kv.range(below(directory))).kvs.length,
    async batch(paths) {
      const keys = paths.map(keyOf);
      must('batch', (await kv.txn({ compare: keys.map(absent), success: keys.map(put) })).succeeded);
    },
    async lockAndUnlock(directory) {
      const { kvs } = await kv.range({ ...below(directory), limit: '1', keys_only: true });
      must(directory, kvs.length > 0);
      const { ID } = await lease.leaseGrant({ TTL: LEASE_SECONDS, ID: '0' });
      const key = keyOf(`${directory}/locks/${ID}`);
      const queue = { ...below(`${directory}/locks`), sort_target: 'Mod', sort_order: 'Descend' } as const;
      const { succeeded, responses, header } = await kv.txn({
        compare: [absent(key)],
        success: [
          { request_range: { ...queue, keys_only: true, limit: 1 } },
          { request_put: { key, value: VALUE, lease: ID } },
        ],
      });
      must(directory, succeeded && responses[0]?.response_range.kvs.length === 0);
      const [entry] = (await kv.range({ key, keys_only: true })).kvs;
      must(directory, entry?.mod_revision === header.revision);
      await lease.leaseRevoke({ ID });
    },
    async lockRecipe(directory) {
      const [{ kvs }, { ID }] = await Promise.all([
        kv.range({ ...below(directory), limit: '1', keys_only: true }),
        lease.leaseGrant({ TTL: LEASE_SECONDS, ID: '0' }),
      ]);
      must(directory, kvs.length > 0);
      await kv.put({ key: keyOf(`${directory}/locks/${ID}`), value: VALUE, lease: ID });
      const { kvs: queue } = await kv.range({ ...below(`${directory}/locks`), keys_only: true });
      must(directory, queue.length === 1);
      await lease.leaseRevoke({ ID });
    },
    async close() {
      client.close();
    },
  };
}

function must(what: string, held: boolean): void {
  if (!held) throw new Error(`${what} is not as it was left`);
}
