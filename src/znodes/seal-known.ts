import type { CallOptions } from '../topo/connection.js';
import { ErrorCode } from '../topo/errors.js';
import { joinPath } from '../topo/paths.js';
import type { Acl } from '../zookeeper/client.js';
import type { KnownZnode } from './seal-acl.js';
import { walkDown } from './seal-walk.js';
import { type Store, settle } from './store.js';
import { isOwned } from './znode.js';

/** Reads what sealing will need of the root and everything below it; undefined: there is no root. */
export async function learn(
  store: Store,
  scope: 'global' | 'cell',
  options: CallOptions | undefined,
): Promise<KnownZnode | undefined> {
  const top = new Map<string, KnownZnode>();
  const acls = new Map<string, readonly Acl[]>();
  await walkDown({ path: '', name: '', siblings: top }, async ({ path, name, siblings }) => {
    const znode = store.znode(path);
    const read = store.read(path, options, (client, request) => client.getAcl(znode, request));
    const found = await settle(read, ErrorCode.NoNode);
    if (found === undefined || isOwned(found.stat)) return [];
    const { stat } = found;
    const list = () => store.read(path, options, (client, request) => client.getChildren(znode, request));
    const listed = stat.numChildren === 0 ? undefined : await settle(list(), ErrorCode.NoNode);
    const text = JSON.stringify(found.acl);
    const acl = acls.get(text) ?? found.acl;
    acls.set(text, acl);
    const children = listed && new Map<string, KnownZnode>();
    const { czxid, aversion } = stat;
    siblings.set(name, { czxid, acl, aversion, pzxid: listed?.stat.pzxid ?? stat.pzxid, children });
    if (children === undefined) return [];
    return (listed?.children ?? [])
      .map((child) => ({ path: joinPath(path, child), name: child, siblings: children }))
      .filter((child) => !store.layout.isLeftAlone(scope, child.path));
  });
  return top.get('');
}
