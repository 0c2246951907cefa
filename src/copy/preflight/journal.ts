import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { errnoText } from '../../topo/errno.js';
import { behindLinks } from '../lines.js';
import { type Diagnosis, diagnose } from './diagnosis.js';

/** Whether a copy could keep its journal there: beside it come a lock, and the file that is put in its place. Nothing is written. */
export function journalFolder(journal: string | undefined): Diagnosis[] {
  if (journal === undefined) return [];
  const folder = dirname(behindLinks(journal));
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    return [diagnose('journal', {}, `the folder ${folder} cannot be written to: ${errnoText(error)}`)];
  }
}
