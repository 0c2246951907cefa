import { grepIn, type Matched, searchPattern } from '../../looking/grep.js';
import { type Command, letterFlags } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, usage } from '../flags.js';
import type { Io } from '../io.js';
import { printable } from '../lists.js';
import { KIND_FLAG, kindsOf, placeWord, STREAM_FLAGS, scopesOf } from '../looking.js';
import { ADDRESS_WORD, needed, withPlace } from '../place.js';
import { resultsOf } from '../results.js';

const LETTERS = { 'ignore-case': 'i', 'files-with-matches': 'l', count: 'c' } as const;

export const grepCommand: Command = {
  command: 'grep [address] [pattern] [path]',
  describe: 'search decoded records, field by field; exit 1 when nothing matches',
  words: [
    ADDRESS_WORD,
    { name: 'pattern', describe: 'regular expression' },
    { name: 'path', describe: 'where to search, or SCOPE:path (default: everything)' },
  ],
  flags: [...STREAM_FLAGS, KIND_FLAG, ...letterFlags(LETTERS)],
  examples: [
    ['$0 grep zk2://zk1:2181/vitess/global db-17', 'prints SCOPE:path: field: value'],
    ["$0 grep zk2://zk1:2181/vitess/global '^type: PRIMARY' --kind Tablet -l", 'records only'],
    ['$0 grep zk2://zk1:2181/vitess/global -i customer keyspaces --cell global', 'a part of one store'],
  ],
  async run(flags: Flags, io: Io, signal: AbortSignal) {
    if (flags['count'] === true && flags['files-with-matches'] === true)
      throw usage('--count and --files-with-matches exclude one another');
    const kinds = kindsOf(flags);
    const lines =
      flags['count'] === true ? countLine : flags['files-with-matches'] === true ? nameLine : matchLines;
    const asked = { names: ['pattern', 'path'], access: 'read' } as const;
    return withPlace(flags, io, signal, asked, async ({ topology, words }) => {
      const pattern = searchPattern(needed(words, 'pattern'), flags['ignore-case'] === true);
      const { scope, path } = placeWord(flags, words['path'] ?? '');
      const scopes = await scopesOf(topology, scope, signal);
      const results = resultsOf<Matched>(io, flags, lines);
      let found = false;
      const selection = { path, kinds };
      const undecoded = ({
        scope: of,
        path: at,
        problem,
      }: {
        scope: string;
        path: string;
        problem: string;
      }) =>
        io.err(
          `${printable(`${of}:${at}`)} does not decode, and is searched as bytes: ${printable(problem)}`,
        );
      for await (const matched of grepIn(scopes, pattern, selection, { signal, undecoded })) {
        found = true;
        results.add(matched);
      }
      results.end();
      return found ? Exit.Ok : Exit.Different;
    });
  },
};

function matchLines(found: Matched): string[] {
  return found.matches.map(({ field, value }) =>
    field === undefined
      ? `${printable(`${found.scope}:${found.path}`)}: bytes match`
      : printable(`${found.scope}:${found.path}: ${field}: ${value ?? ''}`),
  );
}

function countLine({ scope, path, matches }: Matched): string[] {
  return [printable(`${scope}:${path}: ${matches.length}`)];
}

function nameLine({ scope, path }: Matched): string[] {
  return [printable(`${scope}:${path}`)];
}
