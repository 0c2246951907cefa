import { Etcd3, type IRangeResponse } from 'etcd3';
import { type Side, tabletsRoot } from './copy-place.js';
import type { RawStore } from './copy-raw.js';

const PAGE = 10_000;

/** `etcd3` with its raw calls: large pages of which the next is read ahead, transactions of as many puts as etcd takes. */
export async function rawEtcd(side: Side): Promise<RawStore> {
  const etcd = new Etcd3({
    hosts: `http://${side.server}`,
    grpcOptions: { 'grpc.max_receive_message_length': -1 },
  });
  const prefix = Buffer.from(`${tabletsRoot(side)}/`);
  const end = Buffer.from(`${tabletsRoot(side)}0`);
  const keyOf = (name: string) => Buffer.from(`${prefix}${name}/Tablet`);
  return {
    async read(use) {
      const page = (key: Buffer) => etcd.kv.range({ key, range_end: end, limit: PAGE });
      let ahead: Promise<IRangeResponse> | undefined = page(prefix);
      while (ahead !== undefined) {
        const { kvs, more }: IRangeResponse = await ahead;
        const last = kvs.at(-1);
        ahead = more && last !== undefined ? page(Buffer.concat([last.key, Buffer.of(0)])) : undefined;
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
