import { readdirSync, readFileSync } from 'node:fs';

const STATES: Readonly<Record<string, string>> = {
  R: 'runs',
  S: 'runs',
  D: 'waits for the disk',
  T: 'stopped by a signal',
  Z: 'ended',
};

/** How a process is, for people: whether it runs or is held, with how many threads, and whether its files are limited. */
export function conditionOf(pid: number): string {
  try {
    const state = /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1] ?? '';
    const threads = readdirSync(`/proc/${pid}/task`).length;
    const limit = /^Max file size\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1];
    const files = limit === undefined ? '' : `, may write files of ${limit} bytes`;
    return `process ${pid} ${STATES[state] ?? `in state ${state}`}, ${threads} threads${files}`;
  } catch {
    return `process ${pid}, of which this system tells nothing`;
  }
}
