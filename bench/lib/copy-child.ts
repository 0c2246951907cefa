import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { again, copy, plant, verified } from './copy-ours.js';
import type { Place } from './copy-place.js';
import { floor, scans, steps, whole } from './copy-raw.js';

/** What a process of its own does; `plant` makes the source. */
export type Step = 'plant' | keyof typeof MEASURED;

/** What a step took. */
export interface Measured {
  readonly wallMs: number;
  /** Processor time of the client's process. */
  readonly cpuMs: number;
  /** Peak memory of the process, everything included. */
  readonly megabytes: number;
}

/** Made ready, modules loaded; what is called then is measured. */
const MEASURED = { floor, steps, copy, scans, whole, again, verified };

/** Does a step in this process and prints what it took. */
export async function measureHere(step: Step, place: Place): Promise<void> {
  if (step === 'plant') {
    await plant(place);
    return;
  }
  const run = await MEASURED[step](place);
  const started = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  const measured: Measured = {
    wallMs: performance.now() - started,
    cpuMs: (user + system) / 1000,
    megabytes: process.resourceUsage().maxRSS / 1024,
  };
  process.stdout.write(`${JSON.stringify(measured)}\n`);
}

/** Does a step in a process of its own. `profiles`: folder for a CPU profile of it. */
export function inChild(step: Step, place: Place, profiles: string | undefined): Promise<Measured> {
  const [script = ''] = process.argv.slice(1);
  const profile =
    profiles === undefined
      ? []
      : ['--cpu-prof', '--cpu-prof-dir', join(profiles, `${place.from.store}-${place.to.store}-${step}`)];
  const args = [...process.execArgv, ...profile, script, '--step', step, '--place', JSON.stringify(place)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output.trim().split('\n').at(-1) || '{}') as Measured);
      else reject(new Error(`${step} ended with ${code}: ${output}`));
    });
  });
}
