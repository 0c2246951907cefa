import type { CallOptions } from '../../topo/connection.js';
import type { StoreIdentity } from '../../topo/identity.js';
import type { Part } from './part.js';

/** A file is where it is: its real path tells it from every other. */
export function identity(part: Part, options: CallOptions): Promise<StoreIdentity> {
  return part.read(undefined, options, (tree) => ({
    servers: `file ${part.file.name}`,
    root: tree.list('') === undefined ? undefined : part.scope,
  }));
}
