import { type CliResult, cli } from '../support/cli.js';
import { until } from '../support/until.js';

/** A line of `--output json`. */
export interface PatrolEvent {
  readonly type?: string;
  readonly url?: string;
  readonly verdict?: string;
  readonly was?: string | null;
  readonly path?: string;
  readonly scope?: string;
  readonly differing?: readonly { readonly path: string }[];
}

/** A patrol that runs in this process, and is watched by HTTP. */
export interface RunningPatrol {
  /** What it told so far. */
  readonly events: readonly PatrolEvent[];
  /** The verdicts it told so far. */
  verdicts(): (string | undefined)[];
  /** Until it has told so many verdicts, and what they were. */
  told(number: number): Promise<(string | undefined)[]>;
  readonly done: Promise<CliResult>;
  health(): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Values by name and labels, as they are written. */
  metrics(): Promise<Readonly<Record<string, number>>>;
  stop(): void;
}

/** Starts `topo2topo verify --watch` on a free port. */
export function startPatrol(addresses: readonly string[], more: readonly string[] = []): RunningPatrol {
  const stop = new AbortController();
  const events: PatrolEvent[] = [];
  let isOver = false;
  const quick = ['--interval', '50ms', '--listen', '0', '--output', 'json'];
  if (!more.includes('--settle')) quick.push('--settle', '300ms');
  const done = cli(
    ['verify', ...addresses, '--watch', ...quick, ...more],
    {},
    { signal: stop.signal, onOut: (text) => void events.push(JSON.parse(text)) },
  ).finally(() => {
    isOver = true;
  });
  const get = (path: string) => fetch(`${events.find(({ url }) => url !== undefined)?.url}${path}`);
  const verdicts = () => events.filter(({ type }) => type === 'verdict').map(({ verdict }) => verdict);
  return {
    events,
    done,
    verdicts,
    async told(number) {
      await until(`${number} verdicts`, () => isOver || verdicts().length >= number, 60_000);
      if (isOver && verdicts().length < number) throw new Error(JSON.stringify(await done));
      return verdicts();
    },
    async health() {
      const response = await get('/healthz');
      return { status: response.status, body: await response.json() };
    },
    async metrics() {
      const lines = (await (await get('/metrics')).text())
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'));
      return Object.fromEntries(
        lines.map((line) => {
          const end = line.lastIndexOf(' ');
          return [line.slice(0, end), Number(line.slice(end + 1))];
        }),
      );
    },
    stop: () => stop.abort(),
  };
}
