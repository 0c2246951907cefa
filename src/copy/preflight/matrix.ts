import { type Diagnosis, diagnose } from './diagnosis.js';
import type { ServersReading, Side } from './reading.js';

/** One server, dialled from one cell. */
export interface DialRow {
  /** Cell that it was dialled from. */
  readonly from: string;
  readonly side: Side;
  /** The parts of the topology that the server holds. */
  readonly scopes: readonly string[];
  readonly server: string;
  readonly up: boolean;
  /** Milliseconds that its answer took. */
  readonly ms?: number | undefined;
  readonly problem?: string | undefined;
}

/** A row for each server. */
export function dialRows(from: string, servers: readonly ServersReading[]): DialRow[] {
  return servers.flatMap(({ side, scopes, health }) =>
    health.servers.map(({ server, up, ms, problem }) => ({ from, side, scopes, server, up, ms, problem })),
  );
}

/** What is the matter with rows of one or more cells. Pure. */
export function cutOff(rows: readonly DialRow[]): Diagnosis[] {
  const sets = new Map<string, DialRow[]>();
  for (const row of rows) {
    const key = [row.from, row.side, ...row.scopes].join('\0');
    sets.set(key, [...(sets.get(key) ?? []), row]);
  }
  const found = [...sets.values()].flatMap((set) => {
    const down = set.filter(({ up }) => !up);
    const names = down.map(({ server, problem }) => `${server} (${problem ?? 'no answer'})`).join(', ');
    const [first] = down;
    if (first === undefined) return [];
    const { from, side, scopes } = first;
    const id = down.length === set.length ? 'cell-cut-off' : 'server-cut-off';
    return [diagnose(id, { side, scope: scopes.join(', ') }, `from cell ${from} not reached: ${names}`)];
  });
  const dialled = new Set(rows.map(({ from }) => from));
  const cells = new Set(rows.flatMap(({ scopes }) => scopes.filter((scope) => scope !== 'global')));
  const missing = [...cells].filter((cell) => !dialled.has(cell));
  return [
    ...found,
    ...missing.map((cell) =>
      diagnose('cell-not-dialled', { scope: cell }, `nothing was dialled from cell ${cell}`),
    ),
  ];
}
