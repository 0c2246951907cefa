import { setMaxListeners } from 'node:events';
import pc from 'picocolors';
import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/run.js';

/** What a run of the tool left behind. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Raw bytes written: records that were not decoded. */
  readonly bytes: Buffer;
  /** Both, in the order in which they were written. */
  readonly stdout: Buffer;
}

/** How a run of the tool is watched. */
export interface CliWatch {
  readonly signal?: AbortSignal;
  /** Told of every output. */
  readonly onOut?: (text: string) => void;
  /** Whether results go to a terminal. Default: to a pipe. */
  readonly terminal?: boolean;
  /** A terminal on which progress is drawn. Default: none. */
  readonly screen?: NodeJS.WritableStream;
  /** Answers a person who is asked. Default: nobody is there. */
  readonly answer?: (question: string) => string | Promise<string>;
  /** What is piped in. */
  readonly input?: Uint8Array | string;
}

/** Runs the tool in this process, without colours. */
export async function cli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  watch: CliWatch = {},
): Promise<CliResult> {
  const { io, result } = captured(env, watch);
  const signal = watch.signal ?? new AbortController().signal;
  // As the entry point does.
  setMaxListeners(0, signal);
  const code = await run(args, io, signal);
  return { code, ...result() };
}

/** An Io whose output is kept, without colours. */
export function captured(
  env: Readonly<Record<string, string>> = {},
  watch: CliWatch = {},
): { readonly io: Io; readonly result: () => Omit<CliResult, 'code'> } {
  let out = '';
  let err = '';
  const chunks: Uint8Array[] = [];
  const stdout: Uint8Array[] = [];
  const io: Io = {
    out: (text) => {
      out += `${text}\n`;
      stdout.push(Buffer.from(`${text}\n`));
      watch.onOut?.(text);
    },
    outBytes: (bytes) => {
      chunks.push(bytes);
      stdout.push(bytes);
    },
    err: (text) => {
      err += `${text}\n`;
    },
    outIsTerminal: watch.terminal === true,
    input: () => Promise.resolve(Buffer.from(watch.input ?? '')),
    errIsTerminal: watch.screen !== undefined,
    screen: watch.screen,
    ask: watch.answer && (async (question) => (await watch.answer?.(question)) ?? ''),
    colors: pc.createColors(false),
    errColors: pc.createColors(false),
    env,
  };
  return {
    io,
    result: () => ({ out, err, bytes: Buffer.concat(chunks), stdout: Buffer.concat(stdout) }),
  };
}

/** Runs the tool with `--output json` and reads what it printed. Fails unless the exit code is one of `codes`. */
export async function cliJson(
  args: readonly string[],
  codes: readonly number[] = [0],
  input: Uint8Array | string = '',
): Promise<unknown> {
  const { code, out, err } = await cli([...args, '--output', 'json'], {}, { input });
  if (!codes.includes(code)) throw new Error(`exit code ${code}: ${err}${out}`);
  return JSON.parse(out);
}
