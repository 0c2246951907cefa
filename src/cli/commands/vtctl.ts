import { ErrorCode, TopologyError } from '../../topo/errors.js';
import { type Command, type FlagSpec, textFlag } from '../command.js';
import { parseDuration } from '../durations.js';
import { Exit } from '../exit.js';
import { type Flags, shown, text, usage } from '../flags.js';
import { type GoArgs, parseGoFlags } from '../go-flags.js';
import { IGNORED_FLAGS } from '../ignored.js';
import type { Io } from '../io.js';
import { nearest } from '../nearest.js';
import { ADDRESS_WORD, PLACE_FLAGS, withPlace } from '../place.js';
import type { VtctlCommand } from './vtctl/command.js';
import { commandNamed, insteadOf, KNOWN_NAMES, VTCTL_COMMANDS } from './vtctl/table.js';

/** What vtctl prints is neither JSON nor text throughout. */
const OUTPUT = 'output';

/** Flags of vtctl itself that say nothing about the topology. */
const UNUSED_FLAGS: readonly FlagSpec[] = [
  ...['wait-time', 'action-timeout', 'remote-operation-timeout'],
  ...['tablet-manager-protocol', 'tablet-protocol', 'service-map'],
].map((name) => ({ ...textFlag(name, 'of Vitess’s vtctl; ignored'), hidden: true as const }));

/** How long to wait for a lock, by the names that it has in versions of Vitess. */
const LOCK_WAIT_FLAGS = ['lock-timeout', 'lock-wait-timeout'] as const;

/** Vitess's vtctlclient and vtctldclient have it in place of the topology. */
const SERVER = 'server';

const ADDRESS = 'zk2://zk1:2181/vitess/global';

/** Vitess's vtctl: its command lines, word for word, for what they do to the topology. */
export const vtctlCommand: Command = {
  command: 'vtctl [address]',
  describe: 'Vitess’s vtctl command lines: vtctl TOPOLOGY COMMAND …; vtctl Help lists the commands',
  words: [ADDRESS_WORD],
  flags: [
    ...PLACE_FLAGS.filter(({ name }) => name !== OUTPUT),
    ...IGNORED_FLAGS,
    ...UNUSED_FLAGS,
    textFlag(LOCK_WAIT_FLAGS[0], 'how long to wait for a lock that somebody holds', { preset: '45s' }),
    textFlag(LOCK_WAIT_FLAGS[1], 'the former name of lock-timeout', { hidden: true }),
    textFlag(SERVER, 'of vtctlclient; refused', { hidden: true }),
  ],
  examples: [
    [
      '$0 vtctl -topo_implementation zk2 -topo_global_server_address zk1:2181 -topo_global_root /vitess/global GetCellInfoNames',
      'TOPOLOGY as Vitess writes it',
    ],
    [`$0 vtctl ${ADDRESS} AddCellInfo -server_address zk1:2181 -root /vitess/zone1 zone1`, 'or an address'],
    [`$0 vtctl ${ADDRESS} RebuildKeyspaceGraph commerce`, 'as vtctl does'],
    ['$0 vtctl Help CreateShard', 'what a command takes'],
  ],
  startsProgram: true,
  run(flags, io, signal) {
    const [name, ...args] = [flags['--'] ?? []].flat().map(String);
    if (flags[SERVER] !== undefined)
      throw usage('-server names a vtctld', 'give the topology itself: its address, or the -topo_ flags');
    if (name === undefined) throw usage('vtctl what?', 'vtctl Help lists the commands');
    if (name.toLowerCase() === 'help') return Promise.resolve(help(io, args));
    const command = offered(name);
    if (args.some((arg) => /^--?(h|help)$/.test(arg))) return Promise.resolve(help(io, [name]));
    return runCommand(command, parsed(command, args), flags, io, signal);
  },
};

function runCommand(
  command: VtctlCommand,
  args: GoArgs,
  flags: Flags,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const access = command.writes === true ? 'write' : 'read';
  const lockWaitMs = lockWait(flags);
  return withPlace(flags, io, signal, { names: [], access }, async ({ topology }) => {
    const name = `vtctl ${command.name}`;
    await command.run({ name, args, topology, io, options: { signal }, lockWaitMs });
    return Exit.Ok;
  });
}

function lockWait(flags: Flags): number | undefined {
  const given = LOCK_WAIT_FLAGS.toReversed().find((name) => flags[name] !== undefined);
  return given === undefined ? undefined : parseDuration(text(flags, given) ?? '', `--${given}`);
}

/** Unsupported, with what to use instead, for a command of Vitess that is not offered; Usage for one that is none. */
function offered(name: string): VtctlCommand {
  const command = commandNamed(name);
  if (command !== undefined) return command;
  const instead = insteadOf(name);
  if (instead !== undefined)
    throw new TopologyError(ErrorCode.Unsupported, `${name} is not offered here`, { hint: instead });
  const meant = nearest(name, KNOWN_NAMES);
  throw usage(
    `${shown(name)} is no command of vtctl`,
    meant.length === 0 ? 'vtctl Help lists the commands' : `is ${meant.join(' or ')} meant?`,
  );
}

function parsed(command: VtctlCommand, args: readonly string[]): GoArgs {
  const [least, most] = command.words;
  const read = parseGoFlags(args, command.flags ?? {});
  const { length } = read.words;
  if (length < least || length > most || read.words.includes(''))
    throw usage(
      length > most ? `unexpected word ${shown(read.words[most])}` : `${command.name} needs more words`,
      usageLine(command),
    );
  return read;
}

function usageLine({ name, params }: VtctlCommand): string {
  return `write ${name}${params === '' ? '' : ` ${params}`}`;
}

function help(io: Io, [name, ...more]: readonly string[]): number {
  if (more.length > 0) throw usage('Help takes one command');
  const commands = name === undefined ? VTCTL_COMMANDS : [offered(name)];
  for (const { name: of, params, describe } of commands)
    io.out(`${params === '' ? of : `${of} ${params}`}\n    ${describe}`);
  return Exit.Ok;
}
