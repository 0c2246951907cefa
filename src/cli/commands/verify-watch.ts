import { systemClock } from '../../topo/clock.js';
import { patrol } from '../../verify/patrol.js';
import type { PatrolState } from '../../verify/patrol-options.js';
import { withBaseline } from '../certificates.js';
import { narrowingBy } from '../copy-flags.js';
import { Exit, exitCodeOf } from '../exit.js';
import type { Flags } from '../flags.js';
import { type Io, jsonLine } from '../io.js';
import type { PatrolWish } from '../patrol-flags.js';
import { failuresOf } from '../patrol-health.js';
import { PatrolService } from '../patrol-service.js';
import { endLine, patrolJson, verdictLine, writeLine } from '../patrol-text.js';
import { checkCellFlags, type Pair, pairTitle, withPair } from '../topologies.js';
import { servingBy, toleranceBy } from '../transcoding-flags.js';
import { judging } from '../verify-flags.js';

/** Compares until Ctrl-C or the end of the time, and answers with the last verdict. */
export async function runPatrol(flags: Flags, wish: PatrolWish, io: Io, signal: AbortSignal): Promise<Exit> {
  const leftSide = judging(flags).authority === 'source' ? 'destination' : 'source';
  const service = new PatrolService(io, systemClock, wish.fullEveryMs, leftSide);
  try {
    const url = await service.open(flags);
    if (flags['output'] === 'json' && url !== undefined) io.out(jsonLine({ type: 'listening', url }));
    return await withPair(flags, io, signal, 'compare', (pair) =>
      patrolPair(flags, wish, io, signal, pair, service),
    );
  } finally {
    await service.close();
  }
}

async function patrolPair(
  flags: Flags,
  wish: PatrolWish,
  io: Io,
  signal: AbortSignal,
  pair: Pair,
  service: PatrolService,
): Promise<Exit> {
  const { settle, authority, failOn, ignore } = judging(flags);
  const narrowing = narrowingBy(flags);
  const asText = flags['output'] !== 'json';
  await checkCellFlags(flags, pair, signal);
  io.out(
    asText
      ? io.colors.bold(`verify --watch ${pairTitle(pair)}`)
      : jsonLine(patrolJson.start(pair, authority)),
  );
  const time = new AbortController();
  const cancel = wish.forMs === undefined ? () => {} : systemClock.schedule(wish.forMs, () => time.abort());
  try {
    const state = await withBaseline(flags, io, signal, narrowing, (baseline) =>
      patrol({
        source: pair.source,
        destination: pair.destination,
        ...narrowing,
        ...toleranceBy(flags),
        ...servingBy(flags),
        ...wish,
        clock: systemClock,
        authority,
        settleMs: settle?.forMs ?? 0,
        failOn,
        ignore,
        baseline,
        allowEmptyCells: flags['allow-empty-cells'] === true,
        concurrency: Number(flags['concurrency']),
        signal: AbortSignal.any([signal, time.signal]),
        onStart: service.begin,
        onVerdict: (change) =>
          io.out(asText ? verdictLine(io, change) : jsonLine(patrolJson.verdict(change))),
        onWrite(write) {
          service.wrote(write);
          io.out(asText ? writeLine(io, write, authority) : jsonLine(patrolJson.write(write)));
        },
        onPass: service.passed,
        onFailure: service.failed,
      }),
    );
    const now = systemClock.now();
    io.out(asText ? endLine(io, state, now) : jsonLine(patrolJson.end(state, now)));
    return patrolExit(state);
  } finally {
    cancel();
  }
}

/** The exit code of the last verdict; `unknown` has that of what cannot be read. */
function patrolExit({ verdict, parts, failure }: PatrolState): Exit {
  if (verdict === 'equal' || verdict === 'accepted') return Exit.Ok;
  if (verdict === 'different') return Exit.Different;
  const [first] = failuresOf(parts, failure);
  return verdict === 'unknown' && first !== undefined ? exitCodeOf(first.error) : Exit.Inconclusive;
}
