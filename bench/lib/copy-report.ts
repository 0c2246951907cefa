import { loadavg } from 'node:os';
import type { Measured, Step } from './copy-child.js';

/** What is copied from where to where. */
export const DIRECTIONS = ['zk2→etcd2', 'consul→etcd2', 'etcd2→etcd2', 'etcd2→zk2', 'zk2→file'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What each step took, run by run. */
export type Rows = Record<Exclude<Step, 'plant'>, Measured[]>;

/** Prints the run in the middle of each step by wall time, and the ratios. */
export function report(direction: Direction, records: number, rows: Rows): void {
  console.log(
    `${direction}, ${records} tablets, medians of ${Math.max(...Object.values(rows).map(({ length }) => length))} runs, load ${loadavg()[0]?.toFixed(1)}`,
  );
  const [floor, steps, copy] = [rows.floor, rows.steps, rows.copy].map(median);
  const [scans, whole, again, verified] = [rows.scans, rows.whole, rows.again, rows.verified].map(median);
  line('raw floor', floor, records);
  line('raw, in turn', steps, records, { floor });
  line('copy', copy, records, { floor, 'in turn': steps });
  line('two raw scans', scans, records);
  line('of everything', whole, records, { scans });
  line('second copy', again, records, { scans, 'of everything': whole });
  line('verify', verified, records, { scans, 'of everything': whole });
}

function median(measured: readonly Measured[]): Measured | undefined {
  const sorted = [...measured].sort((a, b) => a.wallMs - b.wallMs);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** A step, and how many times as long as others it took. */
function line(
  name: string,
  measured: Measured | undefined,
  records: number,
  others: Readonly<Record<string, Measured | undefined>> = {},
): void {
  if (measured === undefined) return;
  const { wallMs, cpuMs, megabytes } = measured;
  const times = Object.entries(others).flatMap(([other, it]) =>
    it === undefined ? [] : [`${(wallMs / it.wallMs).toFixed(2)} times ${other}`],
  );
  const cells = [
    `  ${name.padEnd(14)}`,
    `${wallMs.toFixed(0).padStart(7)} ms`,
    `${((wallMs * 1000) / records).toFixed(1).padStart(6)} µs a record`,
    `CPU ${cpuMs.toFixed(0).padStart(6)} ms`,
    `peak ${megabytes.toFixed(0).padStart(5)} MiB`,
    times.join(', '),
  ];
  console.log(cells.join('  ').trimEnd());
}
