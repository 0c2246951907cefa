import { fixedPart, matchingRecords } from '../../looking/matches.js';
import { noRecordAt, nothingMatches } from '../../looking/nearby.js';
import { topologyCell, topologyRoot } from '../../looking/topology-cell.js';
import type { Connection, StoredRecord } from '../../topo/connection.js';
import { ErrorCode, isTopologyError } from '../../topo/errors.js';
import { GLOBAL } from '../../topo/topology.js';
import { hasWildcard } from '../../topo/wildcards.js';
import { CAT_FORMS } from '../cat-forms.js';
import { type Command, letterFlags, switchFlags } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, usage } from '../flags.js';
import { type Io, json } from '../io.js';
import { printable } from '../lists.js';
import { LOOK_FLAGS, LOOK_WORDS, lookAt, storeOf } from '../looking.js';

/** Flags that choose a form, at most one of them. */
const FORM_FLAGS = ['raw', 'decode-proto', 'decode-proto-json', 'data-as-json', 'topology-cell'] as const;
type Form = keyof typeof CAT_FORMS | 'topology-cell';

export const catCommand: Command = {
  command: 'cat [address] [path]',
  describe: 'show records, decoded; to a file or a pipe their bytes',
  words: LOOK_WORDS,
  flags: [
    ...LOOK_FLAGS,
    ...switchFlags(...FORM_FLAGS, 'unknown-fields'),
    ...letterFlags({ long: 'l' }).map((spec) => ({ ...spec, describe: 'say path and version of each' })),
  ],
  examples: [
    ['$0 cat zk2://zk1:2181/vitess/global keyspaces/commerce/Keyspace', 'decoded, on a terminal'],
    ['$0 cat zk2://zk1:2181/vitess/global RoutingRules > rules.bin', 'the stored bytes'],
    ["$0 cat zk2://zk1:2181/vitess/global -decode_proto -long '/keyspaces/*/Keyspace'", 'as TopoCat'],
    ['$0 cat zk2://zk1:2181/vitess/global zone1:SrvVSchema --data-as-json', 'JSON'],
  ],
  async run(flags: Flags, io: Io, signal: AbortSignal) {
    const form = formOf(flags, io);
    return lookAt(flags, io, signal, async ({ topology, scope: asked, path, word }) => {
      const scope = asked ?? GLOBAL;
      const store = await storeOf(topology, scope, signal);
      const unknownFields = flags['unknown-fields'] === true;
      if (form === 'topology-cell') {
        const isTop = asked === undefined && word === '/';
        const cell = isTop
          ? topologyRoot([GLOBAL, ...(await topology.cells({ signal })).map(({ name }) => name)])
          : await topologyCell(scope, store, path, { signal, unknownFields });
        io.out(json(cell));
        return Exit.Ok;
      }
      const slash = word.startsWith('/') ? '/' : '';
      const printer = CAT_FORMS[form]({
        io,
        scope,
        long: flags['long'] === true,
        unknownFields,
        several: hasWildcard(path),
        pathOf: (record) => `${slash}${record.path}`,
      });
      let exit: Exit = Exit.Ok;
      for await (const record of recordsOf(store, path, signal)) {
        try {
          printer.add(record);
        } catch (error) {
          if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
          // As with TopoCat the others are shown all the same.
          io.err(printable(`${scope}:${record.path} does not decode: ${error.message}`));
          if (form === 'decode-proto') io.outBytes(record.bytes);
          exit = Exit.Store;
        }
      }
      printer.end();
      return exit;
    });
  },
};

/** The records of a path or pattern, at least one. NoNode, with what there is. */
async function* recordsOf(
  store: Connection,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<StoredRecord> {
  let found = false;
  try {
    for await (const record of matchingRecords(store, path, { signal })) {
      found = true;
      yield record;
    }
  } catch (error) {
    if (isTopologyError(error, ErrorCode.NoNode) && !found) throw await noRecordAt(store, path, { signal });
    throw error;
  }
  if (!found) throw await nothingMatches(store, path, fixedPart(path), { signal });
}

function formOf(flags: Flags, io: Io): Form {
  const [given, second] = FORM_FLAGS.filter((name) => flags[name] === true);
  if (second !== undefined) throw usage(`--${given} and --${second} exclude one another`);
  const asJson = flags['output'] === 'json';
  if (given !== undefined && asJson) throw usage(`--${given} and --output json exclude one another`);
  const form = given ?? (asJson ? 'json' : io.outIsTerminal ? 'decoded' : 'raw');
  if (form === 'raw' && flags['unknown-fields'] === true)
    throw usage(
      '--unknown-fields needs a form in which records are decoded',
      'give --decode-proto, for instance',
    );
  return form;
}
