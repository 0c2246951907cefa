import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for migration files and what they name. */
export interface ConfigFolder {
  /** Writes a file; gives its whole name. */
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

export async function configFolder(): Promise<ConfigFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'topo2topo-'));
  return {
    async write(name, text) {
      const file = join(folder, name);
      await writeFile(file, text);
      return file;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
