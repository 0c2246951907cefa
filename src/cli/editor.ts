import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeText } from '../editing/draft.js';
import type { Editor } from '../editing/session.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { usage } from './flags.js';
import type { Env, Io } from './io.js';

/**
 * Runs `work` with the person's editor on a file that nobody else can read. The file is removed afterwards, but for work that fails
 * after something was edited: then it stays, and is named.
 */
export async function withEditor<T>(
  name: string,
  io: Io,
  signal: AbortSignal,
  work: (editor: Editor) => Promise<T>,
): Promise<T> {
  const command = editorCommand(io.env);
  const folder = await mkdtemp(join(tmpdir(), 'topo2topo-edit-'));
  const file = join(folder, name);
  let first: string | undefined;
  let keep = false;
  const editor: Editor = async (shown) => {
    first ??= shown;
    await writeFile(file, shown, { mode: 0o600 });
    await runEditor(command, file);
    if (signal.aborted) throw new TopologyError(ErrorCode.Interrupted, 'interrupted while editing');
    return textOf(file);
  };
  try {
    return await work(editor);
  } catch (error) {
    const left = await readFile(file, 'utf8').catch(() => undefined);
    keep = left !== undefined && left !== first;
    throw keep ? withPlace(io, error, file) : error;
  } finally {
    if (!keep) await rm(folder, { recursive: true, force: true });
  }
}

/** The editor as other tools have it: $VISUAL, else $EDITOR, else vi. Usage when that needs a terminal, and there is none. */
export function editorCommand(env: Env): string {
  const chosen = [env['VISUAL'], env['EDITOR']].find((each) => each !== undefined && each.trim() !== '');
  if (chosen !== undefined) return chosen;
  if (process.stdin.isTTY !== true) throw usage('vi needs a terminal', 'set $EDITOR');
  return 'vi';
}

/** Runs an editor on a file, through a shell: editors are set with arguments, some of them quoted. Usage when it fails. */
export function runEditor(command: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${command} "$@"`, command, file], { stdio: 'inherit' });
    child.once('error', (error) => reject(failed(command, error.message, error)));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(failed(command, signal === null ? `exit code ${code}` : `ended by ${signal}`));
    });
  });
}

function failed(command: string, how: string, cause?: unknown): TopologyError {
  return new TopologyError(ErrorCode.Usage, `the editor ${command} failed: ${how}`, {
    hint: 'nothing is written; set $VISUAL or $EDITOR to an editor that waits until the text is saved',
    cause,
  });
}

async function textOf(file: string): Promise<string> {
  const left = await readFile(file).catch((error: unknown) => {
    throw new TopologyError(ErrorCode.Usage, 'the editor left no file', {
      hint: 'nothing is written',
      cause: error,
    });
  });
  return decodeText(left);
}

const MOVED: ReadonlySet<ErrorCode> = new Set([ErrorCode.BadVersion, ErrorCode.NodeExists, ErrorCode.NoNode]);

function withPlace(io: Io, error: unknown, file: string): unknown {
  const kept = `what was edited is kept in ${file}`;
  if (!(error instanceof TopologyError)) {
    io.err(kept);
    return error;
  }
  const before = MOVED.has(error.code) ? 'somebody else wrote meanwhile: edit the record anew' : error.hint;
  return error.withHint(before === undefined ? kept : `${before}; ${kept}`);
}
