import type { Argv } from 'yargs';
import type { DirEntry } from '../../topo/connection.js';
import { GLOBAL } from '../../topo/topology.js';
import { Exit } from '../exit.js';
import type { Flags } from '../flags.js';
import { type Io, json } from '../io.js';
import { printable } from '../lists.js';
import { lookAt, lookFlags, storeOf } from '../looking.js';
import { switches } from '../switches.js';

export const lsCommand = {
  command: 'ls [address] [path]',
  describe: 'list a directory',
  builder: (yargs: Argv) => switches(lookFlags(yargs), 'long').alias('long', 'l'),
  run: (flags: Flags, io: Io, signal: AbortSignal) =>
    lookAt(flags, io, signal, async ({ topology, scope = GLOBAL, path }) => {
      const store = await storeOf(topology, scope, signal);
      if (flags['long'] !== true && flags['output'] !== 'json') {
        for (const name of await store.listDir(path, { signal })) io.out(printable(name));
        return Exit.Ok;
      }
      const entries = await store.listDirFull(path, { signal });
      if (flags['output'] === 'json') io.out(json(entries));
      else for (const entry of entries) io.out(longLine(entry));
      return Exit.Ok;
    }),
};

function longLine(entry: DirEntry): string {
  return `${entry.type === 'directory' ? 'd' : '-'}${entry.ephemeral ? 'e' : '-'} ${printable(entry.name)}${entry.type === 'directory' ? '/' : ''}`;
}
