import { interrupted } from '../topo/calls.js';
import { ErrorCode, isTopologyError, TopologyError } from '../topo/errors.js';
import type { Context, ZkCommand } from './command.js';
import { look, nextEvent, type Seen, untilAborted } from './follow.js';
import { fixPath } from './paths.js';

export const wait: ZkCommand = {
  name: 'wait',
  params: '[-e] PATH',
  describe:
    'wait until a znode is changed, made or removed; PATH/ (with a slash): until its children change; -e: an error when it exists',
  flags: { e: 'exit' },
  words: [1, 1],
  async run({ znodes, output }, { words: [word = ''], on }) {
    const about = word.endsWith('/') ? 'children' : 'data';
    const path = fixPath(word);
    const seen = await look(znodes, path, about);
    if (on.has('e') && seen.data !== undefined)
      throw new TopologyError(ErrorCode.NodeExists, 'the znode exists already', {
        path,
        store: znodes.store,
        hint: 'without -e, wait waits until it is changed or removed',
      });
    const happened = await untilAborted(znodes.signal, nextEvent(znodes, path, about, seen));
    if (happened === undefined) throw interrupted(znodes, path, znodes.signal.reason);
    output.line(`event: ${happened.event} ${path}`);
  },
};

export const watch: ZkCommand = {
  name: 'watch',
  params: 'PATH…',
  describe: 'show changes of znodes until Ctrl-C',
  flags: {},
  words: [1, Number.POSITIVE_INFINITY],
  async run(context, { words }) {
    const { znodes } = context;
    const paths = words.map(fixPath);
    const seen = await Promise.all(paths.map((path) => look(znodes, path, 'data')));
    const absent = seen.findIndex(({ data }) => data === undefined);
    if (absent >= 0)
      throw new TopologyError(ErrorCode.NoNode, 'there is no such znode', {
        path: paths[absent],
        store: znodes.store,
        hint: 'zk wait PATH waits until there is one',
      });
    const following = paths.map((path, index) => follow(context, path, seen[index]));
    await untilAborted(znodes.signal, Promise.all(following));
  },
};

async function follow({ znodes, output }: Context, path: string, first: Seen | undefined): Promise<void> {
  let seen = first;
  while (seen !== undefined && !znodes.signal.aborted) {
    const happened: { event: string; seen: Seen } | undefined = await nextEvent(
      znodes,
      path,
      'data',
      seen,
    ).catch((error: unknown) => {
      if (isTopologyError(error, ErrorCode.Interrupted)) return undefined;
      throw error;
    });
    if (happened === undefined) return;
    seen = happened.seen;
    output.line(`event: ${happened.event} ${path}`);
    if (seen.data === undefined || seen.data === null) continue;
    output.bytes(seen.data);
    output.line('');
  }
}
