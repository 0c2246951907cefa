import { type Diagnosis, diagnose } from './diagnosis.js';
import type { ServersReading } from './reading.js';

/** Share of a quota from which on it is near. */
const NEAR = 0.8;
/** What a byte of a record takes at most, with keys, revisions and pages that are not full. */
const OVERHEAD = 4;

/** Alarms, and room for what a copy writes. `toWrite`: bytes that it will write there, 0 in a source. */
export function capacity({ side, scopes, health }: ServersReading, toWrite: number): Diagnosis[] {
  const place = { side, scope: scopes.join(', ') };
  const found = (health.alarms ?? []).map((alarm) =>
    diagnose('alarm', place, `the alarm ${alarm} is raised`),
  );
  // The fullest member stops all of them.
  const fullest = health.servers
    .flatMap(({ server, dataBytes, quotaBytes }) =>
      dataBytes === undefined || quotaBytes === undefined ? [] : [{ server, dataBytes, quotaBytes }],
    )
    .sort((a, b) => b.dataBytes / b.quotaBytes - a.dataBytes / a.quotaBytes)[0];
  if (fullest === undefined) return found;
  const { server, dataBytes, quotaBytes } = fullest;
  const needed = toWrite * OVERHEAD;
  const has = `the database of ${server} has ${megabytes(dataBytes)} of at most ${megabytes(quotaBytes)}`;
  if (dataBytes + needed > quotaBytes)
    found.push(diagnose('quota-short', place, `${has}; the copy may need ${megabytes(needed)}`));
  else if (dataBytes + needed > quotaBytes * NEAR) found.push(diagnose('quota-near', place, has));
  return found;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
