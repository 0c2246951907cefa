import { decodeProblem } from '../../../topo/codec.js';
import type { Connection } from '../../../topo/connection.js';
import { ErrorCode, TopologyError } from '../../../topo/errors.js';
import { find } from '../../../topo/find.js';
import { classify, type Kind } from '../../../topo/kinds.js';
import { GLOBAL } from '../../../topo/topology.js';
import { readFlagFile, writeFlagFile } from '../../files.js';
import { type Call, change, type VtctlCommand, word } from './command.js';
import { GET_TOPOLOGY_PATH, recordPath, storeIn, TOPO_CAT } from './topo-cat.js';

/** Commands about records as they are stored. */
export const FILE_COMMANDS: readonly VtctlCommand[] = [
  TOPO_CAT,
  GET_TOPOLOGY_PATH,
  {
    name: 'TopoCp',
    params: '[-cell <cell>] [-to_topo] <src> <dst>',
    describe: 'copies a record to a file; -to_topo: a file to a record',
    flags: { cell: 'text', 'to-topo': 'switch' },
    words: [2, 2],
    writes: true,
    async run(call) {
      const scope = call.args.text('cell') || GLOBAL;
      const store = await storeIn(call, scope);
      if (call.args.isOn('to-topo')) await fromFile(call, scope, store);
      else await toFile(call, store);
    },
  },
];

async function toFile(call: Call, store: Connection): Promise<void> {
  const { bytes } = await store.get(recordPath(word(call, 0)), call.options);
  writeFlagFile(word(call, 1), bytes);
}

/** What no command writes as it comes. */
const NEVER: ReadonlySet<Kind> = new Set<Kind>(['Lock', 'Election', 'Ephemeral', 'Control']);

async function fromFile(call: Call, scope: string, store: Connection): Promise<void> {
  const [bytes, path] = [readFlagFile(word(call, 0)), recordPath(word(call, 1))];
  const { kind, message } = classify(scope === GLOBAL ? 'global' : 'cell', path, false);
  const refusal = NEVER.has(kind)
    ? 'locks, elections and this tool’s own records are not written by hand'
    : message === null
      ? undefined
      : decodeProblem(message, bytes);
  if (refusal !== undefined)
    throw new TopologyError(ErrorCode.Usage, `the file cannot be that record: ${refusal}`, {
      path,
      store: store.store,
      hint: 'give the bytes of the record, as TopoCp without -to_topo writes them',
    });
  const before = await find(store, path, call.options);
  const isSame = before !== undefined && Buffer.compare(before.bytes, bytes) === 0;
  await change(call, isSame ? [] : [{ scope, path, before, after: bytes }]);
}
