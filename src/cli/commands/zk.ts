import { addressFromTriple, type StoreAddress } from '../../topo/address.js';
import { parseArgs } from '../../zk-command/args.js';
import type { Context } from '../../zk-command/command.js';
import { withZnodes } from '../../zk-command/open.js';
import { ZK_COMMANDS, zkCommand } from '../../zk-command/table.js';
import { type Command, type FlagSpec, textFlag } from '../command.js';
import { editBytes } from '../edit-file.js';
import { Exit } from '../exit.js';
import { text, usage } from '../flags.js';
import { IGNORED_FLAGS } from '../ignored.js';
import type { Io } from '../io.js';
import { connectSettings } from '../login.js';
import { sideFlags } from '../side-flags.js';
import { COMMON_FLAGS } from '../topologies.js';

const FLAGS: readonly FlagSpec[] = [
  textFlag('server', 'servers, as h1:2181,h2:2181 (or ZK_SERVER)'),
  ...COMMON_FLAGS.filter(({ name }) => name === 'timeout'),
  ...sideFlags('').filter(({ name }) => name.startsWith('topo-zk-')),
  ...IGNORED_FLAGS,
];

/** Vitess's old tool `zk`: raw znodes, by its own command lines. */
export const zkCommandLine: Command = {
  command: 'zk',
  describe: 'Vitess’s zk command lines, on raw znodes: zk -server H COMMAND …; zk help lists the commands',
  flags: FLAGS,
  examples: [
    ['$0 zk -server zk1:2181 ls -l /vitess/global', 'children of a znode'],
    ['$0 zk -server zk1:2181 cat "/vitess/global/cells/*/CellInfo"', 'the bytes of each'],
    ['$0 zk -server zk1:2181 touch -p /vitess/zone3', 'with the parents it lacks'],
    ['$0 zk -server zk1:2181 wait /vitess/global/keyspaces/', 'until a keyspace comes or goes'],
    ['$0 zk help rm', 'what a command takes'],
  ],
  startsProgram: true,
  async run(flags, io, signal) {
    const [name, ...args] = [flags['--'] ?? []].flat().map(String);
    if (name === undefined) throw usage('zk what?', 'zk help lists the commands');
    if (name === 'help') return help(io, args);
    const command = zkCommand(name);
    if (args.some((arg) => /^(-h|--?help)$/.test(arg))) return help(io, [name]);
    const parsed = parseArgs(command, args);
    const address = addressOf(text(flags, 'server') ?? io.env['ZK_SERVER']);
    const settings = connectSettings(flags, '', io.env, address);
    await withZnodes(address, settings, signal, (znodes) =>
      command.run({ znodes, ...contextOf(io) }, parsed),
    );
    return Exit.Ok;
  },
};

function contextOf(io: Io): Omit<Context, 'znodes'> {
  return {
    output: {
      line: (line) => io.out(line),
      bytes: (bytes) => io.outBytes(bytes),
      warn: (line) => io.err(line),
      terminal: io.outIsTerminal,
    },
    edit: (name, bytes) => editBytes(io.env, name, bytes),
  };
}

/** The whole of a cluster. Usage when no server is given. */
function addressOf(server: string | undefined): StoreAddress {
  if (server === undefined || server === '')
    throw usage('no server is given', 'write zk -server HOST:2181 …, or set ZK_SERVER');
  // Addresses of topologies have a root, which here is of no use.
  return { ...addressFromTriple('zk2', server, '/zookeeper'), root: '/' };
}

function help(io: Io, [name, ...more]: readonly string[]): number {
  if (more.length > 0) throw usage('help takes one command');
  const commands = name === undefined ? ZK_COMMANDS : [zkCommand(name)];
  for (const { name: of, params, describe } of commands) io.out(`${of} ${params}\n    ${describe}`);
  return Exit.Ok;
}
