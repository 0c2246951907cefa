import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { editorCommand, runEditor } from './editor.js';
import type { Env } from './io.js';

/**
 * Lets a person change bytes in $VISUAL, $EDITOR or vi, in a file that nobody else can read and that is gone afterwards; answers
 * with what was left. Usage when there is no editor, or it fails.
 */
export async function editBytes(env: Env, name: string, bytes: Uint8Array): Promise<Uint8Array> {
  const command = editorCommand(env);
  const folder = await mkdtemp(join(tmpdir(), 'topo2topo-edit-'));
  try {
    const file = join(folder, name);
    await writeFile(file, bytes, { mode: 0o600 });
    await runEditor(command, file);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
