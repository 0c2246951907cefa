import { ErrorCode, TopologyError } from '../topo/errors.js';
import type { ZkCommand } from './command.js';
import { forEachPath, resolve } from './paths.js';
import { unlessAbsent } from './znodes.js';

const NEWLINE = Buffer.from('\n');

export const cat: ZkCommand = {
  name: 'cat',
  params: '[-l] [-f] PATH…',
  describe: 'show data, byte for byte; -l: the path before it; -f: no error for what is absent',
  flags: { l: 'longlisting', f: 'force', p: 'decodeproto' },
  words: [1, Number.POSITIVE_INFINITY],
  async run({ znodes, output }, { words, on }) {
    if (on.has('p'))
      throw new TopologyError(ErrorCode.Unsupported, 'cat -p (decodeProto) is not offered here', {
        hint: 'topo2topo cat zk2://SERVERS/ROOT PATH decodes records',
      });
    await forEachPath('cat', await resolve(znodes, words), output.warn, async (path) => {
      const reading = znodes.read(path, (client, options) => client.getData(path, options));
      const found = on.has('f') ? await unlessAbsent(reading) : await reading;
      if (found === undefined) return;
      if (on.has('l')) output.line(`${path}:`);
      const { data } = found;
      if (data === null || data.byteLength === 0) return;
      output.bytes(data);
      // Only for the eye: what is piped is what is stored.
      if (data.at(-1) !== NEWLINE[0] && (output.terminal || on.has('l'))) output.bytes(NEWLINE);
    });
  },
};
