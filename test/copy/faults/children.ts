import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job } from './dying-process.js';

const PROCESS = fileURLToPath(new URL('./dying-process.ts', import.meta.url));

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** Writes that it had sent; undefined: it was killed. */
  readonly writes: number | undefined;
  readonly err: string;
}

/** Processes of the tool that are loaded while others run, since loading takes longer than a copy. */
export class Children {
  #next: Loaded | undefined;

  async run(job: Job): Promise<Ended> {
    const child = this.#next ?? new Loaded();
    this.#next = new Loaded();
    return child.run(job);
  }

  stop(): void {
    this.#next?.stop();
  }
}

class Loaded {
  readonly #child: ChildProcess;
  readonly #ready: Promise<void>;
  readonly #ended: Promise<Ended>;

  constructor() {
    const child = fork(PROCESS, [], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    let err = '';
    let writes: number | undefined;
    child.stderr?.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    this.#ready = new Promise((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('close', () => reject(new Error(`it never was ready: ${err}`)));
    });
    this.#ready.catch(() => {});
    this.#ended = new Promise((resolve) => {
      child.on('message', (message) => {
        if (typeof message === 'object' && 'writes' in message) writes = Number(message.writes);
      });
      child.once('close', (code, signal) => resolve({ code, signal, writes, err }));
    });
  }

  async run(job: Job): Promise<Ended> {
    await this.#ready;
    this.#child.send(job);
    return this.#ended;
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
