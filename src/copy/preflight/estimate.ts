import type { Plan } from '../plan.js';
import { type Diagnosis, diagnose } from './diagnosis.js';
import type { SideReading } from './reading.js';

/** What a copy will take, by what was measured. */
export interface Estimate {
  /** Records and bytes that were read in the source. */
  readonly records: number;
  readonly bytes: number;
  /** Of the source, as it was read once. */
  readonly recordsPerSecond: number | undefined;
  /** Records to write; undefined: there is no plan. */
  readonly toWrite: number | undefined;
  readonly bytesToWrite: number | undefined;
  /** Seconds, roughly; undefined where nothing was written to measure by. */
  readonly seconds: number | undefined;
}

/** Reads of both sides in one copy: for the plan, and once more at its end. */
const READS = 2;

/** `batch`: operations that one write of the destination can take. */
export function estimate(
  sides: readonly SideReading[],
  plan: Plan | undefined,
  batch: number,
): Estimate | undefined {
  const source = sides.find(({ side }) => side === 'source');
  if (source === undefined) return undefined;
  const surveys = source.scopes.flatMap(({ survey }) => (survey === undefined ? [] : [survey]));
  if (surveys.length === 0) return undefined;
  const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
  const records = sum(surveys.map((each) => each.records));
  const readMs = sum(surveys.map(({ ms }) => ms));
  const toWrite = plan === undefined ? undefined : sum(plan.scopes.map((scope) => scope.toWrite));
  const writeMs = Math.max(
    ...sides
      .filter(({ side }) => side === 'destination')
      .flatMap(({ scopes }) => scopes.map(({ probed }) => probed?.writeMs ?? Number.NaN))
      .filter(Number.isFinite),
  );
  const batches = toWrite === undefined ? 0 : Math.ceil(toWrite / Math.max(1, batch));
  return {
    records,
    bytes: sum(surveys.map(({ bytes }) => bytes)),
    recordsPerSecond: readMs === 0 ? undefined : Math.round((records * 1_000) / readMs),
    toWrite,
    bytesToWrite:
      plan === undefined
        ? undefined
        : sum(plan.scopes.flatMap(({ counts }) => [...counts.values()].map(({ bytes }) => bytes))),
    seconds:
      toWrite === undefined || !Number.isFinite(writeMs)
        ? undefined
        : (READS * readMs + batches * writeMs) / 1_000,
  };
}

export function estimated(found: Estimate): Diagnosis {
  const { records, bytes, recordsPerSecond, toWrite, seconds } = found;
  const parts = [
    `the source holds ${records} records, ${bytes} bytes`,
    ...(recordsPerSecond === undefined ? [] : [`read at ${recordsPerSecond} records a second`]),
    ...(toWrite === undefined ? [] : [`${toWrite} to write`]),
    ...(seconds === undefined ? [] : [`a copy takes about ${Math.max(1, Math.ceil(seconds))} s`]),
  ];
  return diagnose('estimate', {}, parts.join('; '));
}
