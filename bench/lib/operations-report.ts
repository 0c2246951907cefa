import type { Case, CaseRounds, ContenderName, Effort, Round } from './operations.js';

/** A {@link Case} of which the rounds have been summed up. */
export interface CaseReport extends Case {
  /** Medians. Absent where there is no raw client, or where there was a failure. */
  readonly raw?: Round;
  readonly ours?: Round;
  /** Median over the pairs of rounds of the time that an operation takes by the Connection, divided by the raw client's. */
  readonly ratio?: number;
  /** Between these the median of ever more pairs would lie, with a probability of 95 %. */
  readonly interval?: readonly [number, number];
  /** {@link ratio} for the processor time of the client's process. */
  readonly cpuRatio?: number;
  readonly failure?: string;
}

export interface StoreReport {
  readonly store: string;
  /** Of the servers. */
  readonly version: string;
  readonly cases: readonly CaseReport[];
}

export function summarise({ operation, inFlight, rounds, failure }: CaseRounds): CaseReport {
  const which = { operation, inFlight };
  if (failure !== undefined) return { ...which, failure };
  const ours = medianRound(rounds, 'ours');
  const raw = medianRound(rounds, 'raw');
  const pairs = rounds.flatMap((pair) =>
    pair.raw === undefined || pair.ours === undefined ? [] : [{ raw: pair.raw, ours: pair.ours }],
  );
  if (ours === undefined || raw === undefined) return { ...which, ...(ours && { ours }) };
  const ratios = pairs.map((pair) => pair.raw.perSecond / pair.ours.perSecond);
  const cpu = pairs.map((pair) => pair.ours.cpuMicros / pair.raw.cpuMicros);
  return {
    ...which,
    raw,
    ours,
    ratio: quantile(ratios, 0.5),
    interval: intervalOf(ratios),
    cpuRatio: quantile(cpu, 0.5),
  };
}

/** As Markdown, so that it can go into the documentation as it is. */
export function tableOf({ store, version, cases }: StoreReport, { rounds, seconds }: Effort): string {
  return [
    `${store} (${version}), medians of ${rounds} rounds of ${seconds} s`,
    '',
    line('operation', 'in flight', 'raw/s', 'ours/s', 'time', '95 %', 'raw CPU µs', 'ours CPU µs', 'CPU'),
    line('---', ...Array<string>(8).fill('---:')),
    ...cases.map(rowOf),
    '',
  ].join('\n');
}

function rowOf({ operation, inFlight, raw, ours, ratio, interval, cpuRatio, failure }: CaseReport): string {
  const rate = (round: Round | undefined) => (round === undefined ? '' : thousands(round.perSecond));
  const cpu = (round: Round | undefined) => (round === undefined ? '' : round.cpuMicros.toFixed(0));
  const times = (number: number | undefined) => number?.toFixed(2) ?? '';
  if (failure !== undefined) return line(operation, String(inFlight), `failed: ${failure}`);
  return line(
    operation,
    String(inFlight),
    rate(raw),
    rate(ours),
    times(ratio),
    interval?.map(times).join('–') ?? '',
    cpu(raw),
    cpu(ours),
    times(cpuRatio),
  );
}

const WIDTHS = [11, 9, 8, 8, 5, 9, 10, 11, 5];

function line(first: string, ...others: readonly string[]): string {
  const cells = others.map((cell, i) => cell.padStart(WIDTHS[i + 1] ?? 0));
  return `| ${[first.padEnd(WIDTHS[0] ?? 0), ...cells].join(' | ')} |`;
}

function thousands(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

function medianRound(
  rounds: readonly Readonly<Partial<Record<ContenderName, Round>>>[],
  name: ContenderName,
): Round | undefined {
  const found = rounds.flatMap((pair) => pair[name] ?? []);
  if (found.length === 0) return undefined;
  return {
    perSecond: quantile(
      found.map(({ perSecond }) => perSecond),
      0.5,
    ),
    cpuMicros: quantile(
      found.map(({ cpuMicros }) => cpuMicros),
      0.5,
    ),
  };
}

/** By the order of the numbers alone, whatever their distribution: half of all there could be lie below the median. */
function intervalOf(numbers: readonly number[]): readonly [number, number] {
  const sorted = [...numbers].sort((a, b) => a - b);
  const outside = Math.max(0, Math.floor((sorted.length - 1.96 * Math.sqrt(sorted.length)) / 2));
  return [sorted[outside] ?? 0, sorted[sorted.length - 1 - outside] ?? 0];
}

/** Between two numbers, the one in proportion. */
function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? 0;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}
