import { usage } from './flags.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};
const PART = /(\d+(?:\.\d+)?)(d|h|ms|m|s|us|µs|ns)/g;

/** The longest time most settings can have, in milliseconds: what a lock may outlive its holder by. */
const DAY_MS = 86_400_000;

/**
 * Milliseconds of a duration as Go writes it (`1m30s`, `500ms`; days too, `30d`), or of a number of seconds. Usage unless it is more
 * than 0 and at most `maxMs`; `named` says whose it is.
 */
export function parseDuration(text: string, named: string, maxMs = DAY_MS): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : goDuration(text);
  if (ms > 0 && ms <= maxMs) return ms;
  const most = maxMs === DAY_MS ? '24h' : `${Math.floor(maxMs / DAY_MS)}d`;
  throw usage(`${named} is no duration above 0 and at most ${most}`, 'write seconds, or for example 1m30s');
}

/** NaN for what is no duration. */
function goDuration(text: string): number {
  if (text.replace(PART, '') !== '') return Number.NaN;
  return [...text.matchAll(PART)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (UNIT_MS[unit ?? ''] ?? Number.NaN),
    0,
  );
}

/** A duration for people, in its two largest units: `45s`, `3m05s`, `26h10m`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (number: number) => String(number).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h${two(Math.floor((seconds % 3_600) / 60))}m`;
}
