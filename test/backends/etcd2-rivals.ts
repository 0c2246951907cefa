import type { Raw, Rival, Rivals } from '../conformance/subject.js';
import type { EtcdCluster } from '../servers/index.js';

/** Seconds that a rival's lease lives: longer than any test. */
const RIVAL_TTL = '600';

/**
 * Rivals at locks and elections, by Vitess's recipe and with etcd's own tool: a key `<directory>/locks/<lease id>`, and
 * the one that was written first holds the lock.
 */
export function etcdRivals(
  etcd: () => EtcdCluster,
): Required<Pick<Raw, 'endOwner' | 'orphan'>> & { readonly rivals: Rivals } {
  const standInLine = async (dir: string, value: string): Promise<Rival> => {
    const lease = /^lease ([0-9a-f]+) granted/.exec(await etcd().ctl('lease', 'grant', RIVAL_TTL))?.[1];
    if (lease === undefined) throw new Error('etcdctl granted no lease');
    const key = `${dir}/locks/${BigInt(`0x${lease}`)}`;
    const put = `put ${JSON.stringify(key)} ${JSON.stringify(value)} --lease=${lease}`;
    const answer = await etcd().txn([`ver(${JSON.stringify(key)}) = "0"`], [put]);
    if (!answer.startsWith('SUCCESS')) throw new Error(`etcdctl put no key: ${answer}`);
    const leave = async () => {
      await etcd()
        .ctl('lease', 'revoke', lease)
        .catch((error: unknown) => {
          if (!String(error).includes('requested lease not found')) throw error;
        });
    };
    return {
      holds: async () => (await oldest(etcd(), `${dir}/locks/`))?.key === key,
      holder: async () => (await oldest(etcd(), `${dir}/locks/`))?.value,
      release: leave,
      die: leave,
    };
  };
  const rivals: Rivals = {
    lock: (root, dir, contents) => standInLine(`${root}/${dir}`, contents),
    campaign: (root, name, id) => standInLine(`${root}/elections/${name}`, id),
  };
  return {
    rivals,
    endOwner: (owner) => etcd().ctl('lease', 'revoke', BigInt(owner).toString(16)),
    orphan: (root, dir, contents) => etcd().ctl('put', `${root}/${dir}/locks/1234567890`, contents),
  };
}

/** The key below a prefix that was written first. */
async function oldest(
  etcd: EtcdCluster,
  prefix: string,
): Promise<{ readonly key: string; readonly value: string } | undefined> {
  const order = ['--sort-by=MODIFY', '--order=ASCEND', '--limit=1', '-w', 'json'];
  const answer: unknown = JSON.parse(await etcd.ctl('get', prefix, '--prefix', ...order));
  if (typeof answer !== 'object' || answer === null) throw new Error('etcdctl printed no object');
  const kvs: unknown = 'kvs' in answer ? answer.kvs : [];
  if (!Array.isArray(kvs)) throw new Error('etcdctl printed no kvs');
  const [first]: { key: string; value?: string }[] = kvs;
  const text = (base64 = '') => Buffer.from(base64, 'base64').toString();
  return first && { key: text(first.key), value: text(first.value) };
}
