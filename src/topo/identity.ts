/** What tells a place from every other, whatever its servers are called. See {@link Connection.identity}. */
export interface StoreIdentity {
  /** What the servers say of themselves. Unrelated clusters may say the same. */
  readonly servers: string;
  /** When the root came to be, in the store's own count. Undefined: the root is empty or absent, which tells nothing. */
  readonly root: string | undefined;
}

/** When a witness came to be, as {@link StoreIdentity.root} has it. */
export function witnessed(path: string, created: string | number | bigint): string {
  return `${created} ${path}`;
}

/** Whether two identities are those of one place. False where either root tells nothing. */
export function sameIdentity(a: StoreIdentity, b: StoreIdentity): boolean {
  return a.root !== undefined && a.servers === b.servers && a.root === b.root;
}

const SINCE = ', since ';

/** An identity as one line, for files. */
export function formatIdentity({ servers, root }: StoreIdentity): string {
  return root === undefined ? servers : `${servers}${SINCE}${root}`;
}

/** The servers of a line of {@link formatIdentity}. */
export function serversIn(line: string): string {
  const at = line.indexOf(SINCE);
  return at < 0 ? line : line.slice(0, at);
}

/** The witness that a line of {@link formatIdentity} names; undefined: it needs none. */
export function witnessIn(line: string): string | undefined {
  const at = line.indexOf(SINCE);
  return at < 0 ? undefined : /^\S+ (.+)$/s.exec(line.slice(at + SINCE.length))?.[1];
}
