import { posix } from 'node:path';
import type { ZkCommand } from './command.js';
import { fixPath } from './paths.js';
import { unlessAbsent } from './znodes.js';

export const edit: ZkCommand = {
  name: 'edit',
  params: '[-f] PATH',
  describe:
    'change data in $EDITOR; nothing is written when somebody else wrote meanwhile; -f: no error for what is absent',
  flags: { f: 'force' },
  words: [1, 1],
  async run({ znodes, output, edit: editor }, { words: [word = ''], on }) {
    const path = fixPath(word);
    const reading = znodes.read(path, (client, options) => client.getData(path, options));
    const found = on.has('f') ? await unlessAbsent(reading) : await reading;
    if (found === undefined) return;
    const before = found.data ?? Buffer.alloc(0);
    const after = await editor(posix.basename(path) || 'root', before);
    if (Buffer.compare(before, after) === 0) {
      output.line('nothing was changed');
      return;
    }
    await znodes.write(path, (client, options) => client.setData(path, after, found.stat.version, options));
  },
};
