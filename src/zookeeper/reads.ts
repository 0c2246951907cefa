import {
  type MultiRead,
  type MultiReadResult,
  type OperationOptions,
  type Reply,
  ZkCode,
  type ZooKeeperClient,
  ZooKeeperError,
} from './client.js';

/** A multiRead of one request for each read. The zxid is that of the last answer. */
export async function readOneByOne(
  client: Pick<ZooKeeperClient, 'getData' | 'getChildren'>,
  reads: readonly MultiRead[],
  options: OperationOptions | undefined,
): Promise<Reply & { results: readonly MultiReadResult[] }> {
  let zxid = 0n;
  const readOne = async ({ type, path }: MultiRead): Promise<MultiReadResult> => {
    try {
      if (type === 'getData') {
        const { data, stat, zxid: at } = await client.getData(path, options);
        zxid = at;
        return { type, data, stat };
      }
      const { children, zxid: at } = await client.getChildren(path, options);
      zxid = at;
      return { type, children };
    } catch (error) {
      if (error instanceof ZooKeeperError && isOfOneNode(error.code))
        return { type: 'error', code: error.code };
      throw error;
    }
  };
  return { results: await Promise.all(reads.map(readOne)), zxid };
}

/** Errors that are about one node; others end the whole multiRead. */
export function isOfOneNode(code: ZkCode): boolean {
  return code === ZkCode.NoNode || code === ZkCode.NoAuth;
}
