import pc from 'picocolors';
import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/run.js';

/** What a run of the tool left behind. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** Raw bytes written, for `cat --raw`. */
  readonly bytes: Buffer;
}

/** Runs the tool in this process, as a pipe would see it: no terminal, no colours. `onOut` is told of every output. */
export async function cli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  watch: { readonly signal?: AbortSignal; readonly onOut?: () => void } = {},
): Promise<CliResult> {
  let out = '';
  let err = '';
  const chunks: Uint8Array[] = [];
  const io: Io = {
    out: (text) => {
      out += `${text}\n`;
      watch.onOut?.();
    },
    outBytes: (bytes) => {
      chunks.push(bytes);
    },
    err: (text) => {
      err += `${text}\n`;
    },
    errIsTerminal: false,
    colors: pc.createColors(false),
    errColors: pc.createColors(false),
    env,
  };
  const code = await run(args, io, watch.signal ?? new AbortController().signal);
  return { code, out, err, bytes: Buffer.concat(chunks) };
}

/** Runs the tool with `--output json` and reads what it printed. Fails unless the exit code is one of `codes`. */
export async function cliJson(args: readonly string[], codes: readonly number[] = [0]): Promise<unknown> {
  const { code, out, err } = await cli([...args, '--output', 'json']);
  if (!codes.includes(code)) throw new Error(`exit code ${code}: ${err}${out}`);
  return JSON.parse(out);
}
