import type { Znodes } from './znodes.js';

/** What a command works with. */
export interface Context {
  readonly znodes: Znodes;
  readonly output: Output;
  /** Lets a person change a file's bytes; answers with what was left. `name`: of the file. */
  readonly edit: (name: string, bytes: Uint8Array) => Promise<Uint8Array>;
}

/** Where a command writes. */
export interface Output {
  line(text: string): void;
  bytes(bytes: Uint8Array): void;
  /** What goes wrong with one path of several. */
  warn(text: string): void;
  /** Whether a person reads it. */
  readonly terminal: boolean;
}

/** The command line of a command, taken apart. */
export interface ZkArgs {
  readonly words: readonly string[];
  /** By the letters of {@link ZkCommand.flags}. */
  readonly on: ReadonlySet<string>;
}

/** One command of the old tool. */
export interface ZkCommand {
  readonly name: string;
  /** What follows the name, for help. */
  readonly params: string;
  readonly describe: string;
  /** Switches: letter → its long name. */
  readonly flags: Readonly<Record<string, string>>;
  /** How many words it takes. */
  readonly words: readonly [least: number, most: number];
  /** Index of the first word that is the path of a znode. Default: 0. */
  readonly pathsFrom?: number;
  run(context: Context, args: ZkArgs): Promise<void>;
}
