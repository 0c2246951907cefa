import { type Found, findIn, type Wanted } from '../../looking/find.js';
import { fixedPart } from '../../looking/matches.js';
import { hasWildcard } from '../../topo/wildcards.js';
import { type Command, type FlagSpec, switchFlags, textFlag } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, text, usage } from '../flags.js';
import type { Io } from '../io.js';
import { printable } from '../lists.js';
import { KIND_FLAG, kindsOf, lookAt, STREAM_FLAGS, scopesOf } from '../looking.js';
import { ADDRESS_WORD } from '../place.js';
import { resultsOf } from '../results.js';

const FIND_FLAGS: readonly FlagSpec[] = [
  textFlag('name', 'only those whose last segment matches, for example zone1-*'),
  textFlag('type', 'records, or the directories they are in', {
    choices: ['file', 'directory'],
    preset: 'file',
  }),
  { name: 'larger', kind: 'number', describe: 'only records of more bytes than this' },
  KIND_FLAG,
  ...switchFlags('ephemeral', 'empty'),
];

export const findCommand: Command = {
  command: 'find [address] [path]',
  describe: 'find records by name, path, kind or size, in all stores',
  words: [
    ADDRESS_WORD,
    {
      name: 'path',
      describe: 'where to search, or a pattern of whole paths: ** stands for any number of segments',
    },
  ],
  flags: [...STREAM_FLAGS, ...FIND_FLAGS],
  examples: [
    ['$0 find zk2://zk1:2181/vitess/global --kind Shard,Tablet', 'prints SCOPE:path of each'],
    ["$0 find zk2://zk1:2181/vitess/global --path 'keyspaces/**/Lock'", 'by path'],
    ["$0 find zk2://zk1:2181/vitess/global zone1:tablets --name '*-00000001??'", 'by name, in a part'],
    ['$0 find zk2://zk1:2181/vitess/global --larger 100000 --output jsonl', 'one JSON object a line'],
  ],
  async run(flags: Flags, io: Io, signal: AbortSignal) {
    const conditions = conditionsOf(flags);
    return lookAt(flags, io, signal, async ({ topology, scope, path }) => {
      const scopes = await scopesOf(topology, scope, signal);
      const results = resultsOf<Found>(io, flags, ({ scope: of, path: at }) => [printable(`${of}:${at}`)]);
      for await (const found of findIn(scopes, { ...conditions, ...placesOf(path) }, { signal }))
        results.add(found);
      results.end();
      return Exit.Ok;
    });
  },
};

function placesOf(path: string): Pick<Wanted, 'path' | 'pathPattern'> {
  return hasWildcard(path) ? { path: fixedPart(path), pathPattern: path } : { path };
}

function conditionsOf(flags: Flags): Omit<Wanted, 'path' | 'pathPattern'> {
  const type = flags['type'] === 'directory' ? 'directory' : 'file';
  const ofRecords = ['larger', 'ephemeral', 'empty'].find(
    (name) => flags[name] !== undefined && flags[name] !== false,
  );
  if (type === 'directory' && ofRecords !== undefined)
    throw usage(`--${ofRecords} is about records, and --type directory finds none`);
  return {
    type,
    kinds: kindsOf(flags),
    name: text(flags, 'name'),
    ephemeral: flags['ephemeral'] === true,
    empty: flags['empty'] === true,
    larger: flags['larger'] === undefined ? undefined : Number(flags['larger']),
  };
}
