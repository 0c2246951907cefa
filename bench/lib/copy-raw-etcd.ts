import { Etcd3 } from 'etcd3';
import { alias, type Side, tabletsRoot } from './copy-place.js';
import type { RawStore } from './copy-raw.js';

const PAGE = 10_000;

/**
 * `etcd3` with its raw calls: large pages of which the next is read ahead, transactions of as many puts as etcd takes. Tablets are numbered
 * without gaps, so a page is asked for by its first and last one: of a range etcd walks over all keys, however few it gives.
 */
export async function rawEtcd(side: Side): Promise<RawStore> {
  const etcd = new Etcd3({
    hosts: `http://${side.server}`,
    grpcOptions: { 'grpc.max_receive_message_length': -1 },
  });
  const prefix = Buffer.from(`${tabletsRoot(side)}/`);
  const keyOf = (name: string) => Buffer.from(`${prefix}${name}/Tablet`);
  return {
    async read(use) {
      const page = (uid: number) =>
        etcd.kv.range({ key: keyOf(alias(uid)), range_end: keyOf(alias(uid + PAGE)) });
      let ahead = page(0);
      for (let uid = PAGE; ; uid += PAGE) {
        const { kvs } = await ahead;
        if (kvs.length === 0) break;
        ahead = page(uid);
        await use(
          kvs.map(({ key, value }) => ({
            name: key.toString('utf8', prefix.length, key.length - '/Tablet'.length),
            bytes: value,
          })),
        );
      }
    },
    transaction: { records: 128, inFlight: 8 },
    prepare: async () => {},
    async write(records) {
      const success = records.map(({ name, bytes }) => ({
        request_put: { key: keyOf(name), value: bytes },
      }));
      await etcd.kv.txn({ compare: [], success, failure: [] });
    },
    close: async () => etcd.close(),
  };
}
