const rounds = process.env['TOPO2TOPO_NIGHTLY'];

/** Whether these are the nightly tests (`npm run test:nightly`), which have hours. */
export const isNightly = rounds !== undefined;

/** How often they let happen what takes its course by chance: TOPO2TOPO_NIGHTLY. Once in all other tests. */
export const ROUNDS = Number(rounds ?? 1);
