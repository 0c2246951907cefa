import pLimit from 'p-limit';
import { ErrorCode, TopologyError } from '../topo/errors.js';
import { sleep } from '../topo/sleep.js';
import type { Topology } from '../topo/topology.js';
import { type Answer, type AskOptions, askProcess, askTablet } from './ask.js';
import { type Finding, found, sawAlike, standing, withUnseen, worstFirst } from './finding.js';
import { judgeErrors, judgeGates } from './gates.js';
import { judgeStore, type Stores } from './place.js';
import { judgePrimaries } from './primaries.js';
import { judgeProcess, type Process } from './processes.js';
import { type ReadOptions, readCluster } from './read.js';
import { judgeRecords } from './record-checks.js';
import type { ClusterRecords, TabletState } from './records.js';

/** What to look at, and how. */
export interface CensusOptions extends ReadOptions, AskOptions {
  /** Gates, and other processes that no record names: `host:port`. */
  readonly gates: readonly string[];
  readonly stores: Stores;
  /** Processes that are asked at the same time. */
  readonly concurrency: number;
  /** Milliseconds between two readings of everything; undefined: a second one only where something is found, after {@link AGAIN_MS}. */
  readonly sampleMs: number | undefined;
}

/** What was found in a running cluster. */
export interface Census {
  readonly records: ClusterRecords;
  readonly processes: readonly Process[];
  /** The worst first. */
  readonly findings: readonly Finding[];
}

/** After how many milliseconds what was found is looked at again: a reparent on its way is no fault. */
const AGAIN_MS = 1_000;

/** Looks after the first one, while they do not see the same. */
const LOOKS = 3;

/**
 * Reads the records, asks every process, and compares. Where something is found all of it is read again, and only what two readings
 * show is told, of which neither saw what the other did not. Writes nothing. NoCell; fails as the global store does, and with
 * Interrupted.
 */
export async function takeCensus(topology: Topology, options: CensusOptions): Promise<Census> {
  const { clock, signal, sampleMs } = options;
  const first = await look(topology, options);
  if (first.findings.length === 0 && sampleMs === undefined) return first;
  let before = first;
  for (let looks = 1; ; looks++) {
    await sleep(clock, looks === 1 ? (sampleMs ?? AGAIN_MS) : AGAIN_MS, signal);
    const now = await look(topology, options);
    const isAlike = sawAlike(before.findings, now.findings);
    if (isAlike || looks >= LOOKS) {
      const errors = judgeErrors(first.processes, now.processes);
      const findings = isAlike
        ? standing(before.findings, now.findings)
        : withUnseen(before.findings, now.findings);
      return { ...now, findings: worstFirst([...findings, ...errors]) };
    }
    before = now;
  }
}

async function look(topology: Topology, options: CensusOptions): Promise<Census> {
  const records = await readCluster(topology, options);
  const processes = await ask(records.tablets, options);
  const findings = [
    ...(processes.some(({ from }) => from === 'record')
      ? []
      : [found('nobody-asked', {}, 'no Tablet record names a process that can be asked')]),
    ...judgeRecords(records),
    ...judgePrimaries(records, processes),
    ...processes.flatMap(judgeProcess),
    ...judgeGates(records, processes),
  ];
  return { records, processes, findings: worstFirst(findings) };
}

async function ask(tablets: readonly TabletState[], options: CensusOptions): Promise<Process[]> {
  const { gates, concurrency, stores, signal } = options;
  const limit = pLimit(concurrency);
  const verdictOf = (answer: Answer, host: string) =>
    typeof answer === 'string'
      ? { store: 'unknown' as const, why: answer }
      : judgeStore(answer.store, host, stores);
  const ofTablets = tablets.flatMap((tablet) => {
    const { hostname, webPort, alias } = tablet;
    if (hostname === '' || webPort === undefined) return [];
    const endpoint = `${hostname.includes(':') ? `[${hostname}]` : hostname}:${webPort}`;
    return [
      limit(async (): Promise<Process> => {
        const answer = await askTablet(endpoint, options);
        return {
          from: 'record',
          name: alias,
          tablet,
          endpoint,
          answer,
          verdict: verdictOf(answer, hostname),
        };
      }),
    ];
  });
  const ofGates = gates.map((endpoint) =>
    limit(async (): Promise<Process> => {
      const answer = await askProcess(endpoint, options);
      const host = endpoint.replace(/:\d+$/, '');
      return {
        from: 'listed',
        name: endpoint,
        tablet: undefined,
        endpoint,
        answer,
        verdict: verdictOf(answer, host),
      };
    }),
  );
  const processes = await Promise.all([...ofTablets, ...ofGates]);
  if (signal.aborted)
    throw new TopologyError(ErrorCode.Interrupted, 'interrupted while asking the processes');
  return processes;
}
