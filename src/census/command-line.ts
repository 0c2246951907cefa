/** What a process's own command line says, as far as it matters here. The line itself is kept nowhere: it may hold secrets. */
export interface CommandLine {
  /** Name of the program, without its folder; undefined: an empty command line. */
  readonly program: string | undefined;
  /** Vitess's triple as it was given; undefined where one of the three is missing. */
  readonly store: StoreFlags | undefined;
  /** `--cell`, of a gate and of vtctld. */
  readonly cell: string | undefined;
  /** `--tablet-path`: the alias, of a vttablet. */
  readonly tabletPath: string | undefined;
  /** `--cells_to_watch`: cells and aliases of cells; undefined: not given. */
  readonly cellsToWatch: readonly string[] | undefined;
  /** `--keyspaces_to_watch`; undefined: all. */
  readonly keyspacesToWatch: readonly string[] | undefined;
  /** Whether `--tablet_filters` narrows the tablets that a gate sees. */
  readonly filtersTablets: boolean;
}

/** `--topo_implementation`, `--topo_global_server_address` and `--topo_global_root`, as they were given. */
export interface StoreFlags {
  readonly implementation: string;
  readonly server: string;
  readonly root: string;
}

const LONGEST_NAME = 64;

/** Reads a command line: the program, then its arguments. */
export function readCommandLine([program, ...args]: readonly string[]): CommandLine {
  const flag = (name: string) => flagOf(args, name);
  const [implementation, server, root] = [
    'topo_implementation',
    'topo_global_server_address',
    'topo_global_root',
  ].map(flag);
  return {
    program: program?.split('/').at(-1)?.slice(0, LONGEST_NAME),
    store:
      implementation === undefined || server === undefined || root === undefined
        ? undefined
        : { implementation, server, root },
    cell: flag('cell'),
    tabletPath: flag('tablet_path'),
    cellsToWatch: flag('cells_to_watch')?.split(','),
    keyspacesToWatch: flag('keyspaces_to_watch')?.split(','),
    filtersTablets: flag('tablet_filters') !== undefined,
  };
}

/**
 * The value of a flag as Go's flag packages read it: one dash or two, the value after `=` or as the next argument, the last one wins,
 * and nothing after `--` is a flag. From Vitess 23 on names are written with `-`, before with `_`; both are taken.
 */
function flagOf(args: readonly string[], name: string): string | undefined {
  const end = args.indexOf('--');
  const own = end < 0 ? args : args.slice(0, end);
  let value: string | undefined;
  own.forEach((arg, index) => {
    const [, given = '', , after] = /^--?([^=]+)(=(.*))?$/s.exec(arg) ?? [];
    if (given.replaceAll('-', '_') === name) value = after ?? own[index + 1];
  });
  return value === '' || (value?.length ?? 0) > LONGEST ? undefined : value;
}

/** An argument that is longer than an address of many servers is none of these. */
const LONGEST = 4_096;
