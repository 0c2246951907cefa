import type { Random } from '../../src/topo/clock.js';

/** Random numbers that are the same in every run. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Seed of this run: TOPO2TOPO_SEED, or one by chance. What fails names it, so that it can be run again. */
export function seedOfRun(): number {
  const given = Number.parseInt(process.env['TOPO2TOPO_SEED'] ?? '', 10);
  return Number.isNaN(given) ? Math.floor(Math.random() * 2 ** 32) : given >>> 0;
}
