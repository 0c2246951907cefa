import type { ClockReading } from '../../topo/health.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { Side, SideReading } from './reading.js';

/** What a clock may be off, in milliseconds, beyond what the reading is exact to. */
const MAY_DIFFER_MS = 2_000;

interface NamedClock {
  readonly side: Side;
  readonly scope: string;
  readonly name: string;
  readonly clock: ClockReading;
}

/** Clocks of servers that are certainly off, by this host's and so by one another's. */
export function clocks(sides: readonly SideReading[]): Diagnosis[] {
  return sides
    .flatMap(clocksOf)
    .filter(({ clock }) => Math.abs(clock.aheadMs) - clock.plusMinusMs > MAY_DIFFER_MS)
    .map(({ side, scope, name, clock }) =>
      diagnose('clock-off', { side, scope }, `the clock of ${name} is ${clockText(clock)} this host’s`),
    );
}

function clocksOf({ side, scopes, servers }: SideReading): NamedClock[] {
  const told = servers.flatMap(({ scopes: parts, health }) =>
    health.servers.flatMap(({ server, clock }) =>
      clock === undefined ? [] : [{ side, scope: parts.join(', '), name: server, clock }],
    ),
  );
  const written = scopes.flatMap(({ scope, address, probed }) =>
    probed?.clock === undefined
      ? []
      : [{ side, scope, name: `the leader of ${address.server}`, clock: probed.clock }],
  );
  return [...told, ...written];
}

/** `3.2 s (± 0.5 s) ahead of`. */
function clockText({ aheadMs, plusMinusMs }: ClockReading): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  return `${seconds(Math.abs(aheadMs))} (± ${seconds(plusMinusMs)}) ${aheadMs > 0 ? 'ahead of' : 'behind'}`;
}
