import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Subject } from '../conformance/index.js';
import { nativeClientBuilt } from '../support/native.js';
import type { RivalAnswer, RivalRequest } from './zk2-rival-process.js';

type Rivals = NonNullable<NonNullable<Subject['raw']>['rivals']>;
type Rival = Awaited<ReturnType<Rivals['lock']>>;

const SCRIPT = fileURLToPath(new URL('./zk2-rival-process.ts', import.meta.url));

/**
 * Rivals in a process of their own, with a client that is not this project's. It is started when first needed, and
 * ended by {@link stop}.
 */
export class RivalProcess {
  readonly #servers: () => string;
  readonly #waiting = new Map<number, (answer: RivalAnswer) => void>();
  #child: ChildProcess | undefined;
  #requests = 0;
  #rivals = 0;

  constructor(servers: () => string) {
    this.#servers = servers;
  }

  /** Undefined where the package was not built, which is said aloud. */
  get rivals(): Rivals | undefined {
    if (!nativeClientBuilt()) return undefined;
    return {
      lock: (root, dir, contents) => this.#enter(root, `${dir}/locks`, contents),
      campaign: (root, name, id) => this.#enter(root, `elections/${name}`, id),
    };
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  #enter(root: string, path: string, contents: string): Promise<Rival> {
    return this.stand(root, `${root}/${path}`, contents);
  }

  /** Stands in line in a queue of entries, which is removed when it is left empty, and what that leaves empty below `root`. */
  async stand(root: string, queue: string, contents: string): Promise<Rival> {
    const rival = ++this.#rivals;
    await this.#ask({ what: 'enter', rival, servers: this.#servers(), root, queue, contents });
    return {
      holds: async () => (await this.#ask({ what: 'holds', rival })) === true,
      holder: async () => {
        const found = await this.#ask({ what: 'holder', rival });
        return typeof found === 'string' ? found : undefined;
      },
      release: () => this.#ask({ what: 'leave', rival }),
      die: () => this.#ask({ what: 'die', rival }),
    };
  }

  async #ask(request: Omit<RivalRequest, 'id'>): Promise<RivalAnswer['result']> {
    this.#child ??= this.#start();
    const id = ++this.#requests;
    const answered = new Promise<RivalAnswer>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, ...request } satisfies RivalRequest);
    const { result, failure } = await answered;
    if (failure !== undefined) throw new Error(`the rival failed: ${failure}`);
    return result;
  }

  #start(): ChildProcess {
    const child = fork(SCRIPT, { execArgv: ['--import', 'tsx'] });
    child.on('message', (answer: RivalAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    child.on('exit', (code, signal) => {
      if (this.#child === child) this.#child = undefined;
      for (const [id, answer] of this.#waiting)
        answer({ id, failure: `its process ended: ${signal ?? code}` });
      this.#waiting.clear();
    });
    return child;
  }
}
