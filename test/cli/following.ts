import type { Places } from '../copy/followers.js';
import { type CliResult, cli } from '../support/cli.js';
import { until } from '../support/until.js';

/** A line of `--output json`. */
export interface Event {
  readonly type?: string;
  readonly phase?: string;
  readonly url?: string;
}

/** A follower that runs in this process, and is watched by HTTP. */
export interface RunningFollow {
  /** What it told so far. */
  readonly events: readonly Event[];
  readonly done: Promise<CliResult>;
  /** Until it has copied, and follows. */
  following(): Promise<void>;
  health(): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Values by name and labels, as they are written. */
  metrics(): Promise<Readonly<Record<string, number>>>;
  stop(): void;
}

/** The addresses of both sides. */
export function followArgs({ source, destination, cellRoot }: Places): string[] {
  return [source('global'), destination('global'), '--to-cell-root', cellRoot];
}

/** Starts `topo2topo follow` on a free port. */
export function startFollow(places: Places, more: readonly string[] = []): RunningFollow {
  const stop = new AbortController();
  const events: Event[] = [];
  let isOver = false;
  const done = cli(
    ['follow', ...followArgs(places), '--listen', '0', '--gather', '5ms', '--output', 'json', ...more],
    {},
    { signal: stop.signal, onOut: (text) => void events.push(JSON.parse(text)) },
  ).finally(() => {
    isOver = true;
  });
  const get = (path: string) => fetch(`${events.find(({ url }) => url !== undefined)?.url}${path}`);
  return {
    events,
    done,
    async following() {
      await until('following', () => isOver || events.some(({ phase }) => phase === 'following'), 60_000);
      if (isOver) throw new Error((await done).err);
    },
    async health() {
      const response = await get('/healthz');
      return { status: response.status, body: await response.json() };
    },
    async metrics() {
      const text = await (await get('/metrics')).text();
      const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
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
