import { addressFromTriple, type StoreAddress } from '../../topo/address.js';
import { parseArgs } from '../../zk-command/args.js';
import type { Context } from '../../zk-command/command.js';
import { withZnodes } from '../../zk-command/open.js';
import { byCell, onOneEnsemble, type Route } from '../../zk-command/route.js';
import { ZK_COMMANDS, zkCommand } from '../../zk-command/table.js';
import { parseGiven, whereIs } from '../addresses.js';
import { hasClientConfig, withLocalCell } from '../client-config.js';
import { type Command, type FlagSpec, textFlag } from '../command.js';
import { editBytes } from '../edit-file.js';
import { Exit } from '../exit.js';
import { text, usage } from '../flags.js';
import { IGNORED_FLAGS } from '../ignored.js';
import type { Env, Io } from '../io.js';
import { connectSettings } from '../login.js';
import { sideFlags } from '../side-flags.js';
import { COMMON_FLAGS } from '../topologies.js';

const FLAGS: readonly FlagSpec[] = [
  textFlag(
    'server',
    'servers, as h1:2181,h2:2181 (or ZK_SERVER); or zookeeper:FILE, a client configuration (or ZK_CLIENT_CONFIG)',
  ),
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
    [
      '$0 zk -server zookeeper:/etc/zookeeper/zk_client.json ls -l /zk/local/vt/tablets',
      'on the servers that a client configuration has for the cell',
    ],
    ['$0 zk help rm', 'what a command takes'],
  ],
  startsProgram: true,
  async run(flags, io, signal) {
    const [name, ...args] = [flags['--'] ?? []].flat().map(String);
    if (name === undefined) throw usage('zk what?', 'zk help lists the commands');
    if (name === 'help') return help(io, args);
    const command = zkCommand(name);
    if (args.some((arg) => /^(-h|--?help)$/.test(arg))) return help(io, [name]);
    const { address, route, named } = placeOf(text(flags, 'server'), io.env);
    const parsed = parseArgs(command, args.map(named));
    const settings = connectSettings(flags, '', io.env, address);
    await withZnodes(route, settings, signal, (znodes) => command.run({ znodes, ...contextOf(io) }, parsed));
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

interface ZkPlace {
  /** Whose product it is, to log in to. */
  readonly address: StoreAddress;
  readonly route: Route;
  /** What a word of the command line means there. */
  readonly named: (word: string) => string;
}

/** One cluster, or those of a client configuration. Usage when neither is given. */
function placeOf(given: string | undefined, env: Env): ZkPlace {
  const set = env['ZK_SERVER'] === '' ? undefined : env['ZK_SERVER'];
  const server = given ?? set ?? (hasClientConfig(env) ? 'zookeeper:' : undefined);
  if (server === undefined)
    throw usage('no server is given', 'write zk -server HOST:2181 …, or set ZK_SERVER or ZK_CLIENT_CONFIG');
  if (!server.startsWith('zookeeper:')) {
    // Addresses of topologies have a root, which here is of no use.
    const address = { ...addressFromTriple('zk2', server, '/zookeeper'), root: '/' };
    return { address, route: onOneEnsemble(address), named: (word) => word };
  }
  const { address, client } = whereIs(parseGiven(server), env);
  if (client === undefined)
    throw usage('-server takes HOST:PORT or zookeeper:FILE', 'write -server HOST:2181');
  const cells = [...client.cells.keys()];
  return { address, route: byCell(client), named: (word) => withLocalCell(word, cells, env) };
}

function help(io: Io, [name, ...more]: readonly string[]): number {
  if (more.length > 0) throw usage('help takes one command');
  const commands = name === undefined ? ZK_COMMANDS : [zkCommand(name)];
  for (const { name: of, params, describe } of commands) io.out(`${of} ${params}\n    ${describe}`);
  return Exit.Ok;
}
