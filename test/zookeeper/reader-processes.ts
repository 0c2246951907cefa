import { readdirSync, readFileSync } from 'node:fs';

/** Ids of the processes that read with the `zookeeper` package for a process. */
export function readersOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        // After the name, which may hold anything: state, parent.
        const [state, owner] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state !== 'Z' && Number(owner) === parent && isReader(pid);
      } catch {
        return false;
      }
    });
}

/** Whether a process is one of those, and lives. */
export function isReader(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('reader-child');
  } catch {
    return false;
  }
}
