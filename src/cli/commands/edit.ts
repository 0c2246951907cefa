import { editRecord } from '../../editing/session.js';
import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { carryOut } from '../changes.js';
import type { Command } from '../command.js';
import { withEditor } from '../editor.js';
import { isGiven } from '../place.js';
import { TARGET_WORDS, WRITING_FLAGS, withTarget } from '../writing.js';

const ADDRESS = 'etcd2://etcd1:2379/vitess/global';

export const editCommand: Command = {
  command: 'edit [address] [path]',
  describe: 'change a record, decoded, in $VISUAL or $EDITOR',
  words: TARGET_WORDS,
  flags: WRITING_FLAGS,
  examples: [
    [`$0 edit ${ADDRESS} keyspaces/commerce/Keyspace`, 'fields that this version does not know stay'],
    [`$0 edit ${ADDRESS} tablets/zone1-0000000100/Tablet --cell zone1 --yes`, 'in a cell’s store'],
    [`$0 edit ${ADDRESS} metadata/owner --dry-run`, 'show what would be written'],
  ],
  run: (flags, io, signal) =>
    withTarget(flags, io, signal, async (target) => {
      const { topology, store, path, row, before } = target;
      if (before === undefined)
        throw new TopologyError(ErrorCode.NoNode, 'there is no record to edit', {
          path,
          store: store.store,
          hint: 'topo2topo ls shows what is there; put makes a new record',
        });
      const force = isGiven(flags, 'force');
      const name = row.message === null ? 'record.txt' : `${row.kind}.json`;
      return withEditor(name, io, signal, async (editor) => {
        const plan = await editRecord({ ...target, before }, editor, { signal, force });
        return carryOut(flags, io, signal, { command: 'edit', topology, ...plan });
      });
    }),
};
