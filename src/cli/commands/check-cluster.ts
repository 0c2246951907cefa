import { takeCensus } from '../../census/census.js';
import type { Stores } from '../../census/place.js';
import type { StoreAddress } from '../../topo/address.js';
import { systemClock } from '../../topo/clock.js';
import type { Topology } from '../../topo/topology.js';
import { parseGiven, whereIs } from '../addresses.js';
import { censusExit, censusJson, censusText } from '../census-text.js';
import { type Command, textFlag } from '../command.js';
import { parseDuration } from '../durations.js';
import { type Flags, text, texts } from '../flags.js';
import { readGates } from '../gates-list.js';
import { type Io, json } from '../io.js';
import { tlsOfFiles } from '../pem.js';
import { ADDRESS_WORD, listed, PLACE_FLAGS, withPlace } from '../place.js';
import { TARGET_FLAG, targetOf } from './graph-part.js';

export const checkClusterCommand: Command = {
  command: 'cluster [address]',
  describe:
    'ask every process what it is and which store it uses, and compare with the records; exit 1 when something is wrong, 5 when something is not known',
  words: [ADDRESS_WORD],
  flags: [
    ...PLACE_FLAGS,
    TARGET_FLAG,
    textFlag('cells', 'these cells alone: zone1,zone2 (default: all)'),
    textFlag(
      'gates',
      'HOST:PORT,… of the web ports of vtgate, vtctld and VTOrc, or a file with one in each line',
    ),
    textFlag('expect', 'another spelling of the store that all processes are to use (repeatable)', {
      many: true,
    }),
    textFlag(
      'old',
      'address of the store that was left, as processes spell it (repeatable; default: the migration file’s source)',
      { many: true },
    ),
    textFlag('sample', 'look twice, this long apart, and compare the gates’ counters of errors: 2m'),
    textFlag('page-timeout', 'time that one page of a process may take', { preset: '5s' }),
    textFlag('page-tls-ca', 'PEM file: ask for pages with TLS, and trust this authority'),
    { name: 'concurrency', kind: 'number', preset: 64, describe: 'processes asked at the same time' },
  ],
  examples: [
    [
      '$0 check cluster etcd2://etcd1:2379/vitess/global --gates gates.txt',
      'all tablets, and the processes of a list',
    ],
    [
      '$0 check cluster etcd2://etcd1:2379/vitess/global --old zk2://zk1:2181/vitess/global',
      'who still uses the old store',
    ],
    [
      '$0 check cluster --config topo2topo.yaml --side to --sample 2m',
      'after a cutover; counters of errors, too',
    ],
  ],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: [], access: 'read' }, async ({ topology }) => {
      const ca = text(flags, 'page-tls-ca');
      const sample = text(flags, 'sample');
      const stores = await storesOf(topology, flags, io);
      const census = await takeCensus(topology, {
        cells: listed(flags, 'cells'),
        target: targetOf(flags, topology),
        gates: readGates(text(flags, 'gates')),
        stores,
        concurrency: Number(flags['concurrency']),
        sampleMs: sample === undefined ? undefined : parseDuration(sample, '--sample'),
        timeoutMs: parseDuration(text(flags, 'page-timeout') ?? '', '--page-timeout'),
        tls: ca === undefined ? undefined : tlsOfFiles({ ca, cert: undefined, key: undefined }, undefined),
        clock: systemClock,
        signal,
      });
      const told = { topology: topology.address, stores, census };
      io.out(flags['output'] === 'json' ? json(censusJson(told)) : censusText(io, told));
      return censusExit(census);
    }),
};

/**
 * The stores that the flags name. Nobody can be told to use a file: then only what is given counts. Of a migration file whose
 * destination is looked at, the source is the store that was left.
 */
async function storesOf({ address }: Topology, flags: Flags, io: Io): Promise<Stores> {
  const [spoken = [], given = []] = ['expect', 'old'].map((name) =>
    texts(flags, name).map((given) => whereIs(parseGiven(given), io.env).address),
  );
  const own = address.implementation === 'file' ? [] : [address];
  const old = given.length === 0 ? await leftBehind(flags, io) : given;
  return { expected: [...own, ...spoken], spoken, old };
}

async function leftBehind(flags: Flags, io: Io): Promise<StoreAddress[]> {
  const file = text(flags, 'config');
  if (file === undefined || flags['side'] !== 'to') return [];
  const { readConfig } = await import('../config/read.js');
  const { from } = readConfig(file, io.env);
  return from === undefined ? [] : [whereIs(from.address, io.env).address];
}
