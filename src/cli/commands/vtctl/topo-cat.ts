import { jsonForm } from '../../../looking/forms.js';
import { matchingRecords } from '../../../looking/matches.js';
import { noRecordAt } from '../../../looking/nearby.js';
import { topologyCell, topologyRoot } from '../../../looking/topology-cell.js';
import type { Connection, StoredRecord } from '../../../topo/connection.js';
import { ErrorCode, isTopologyError, type TopologyError } from '../../../topo/errors.js';
import { GLOBAL } from '../../../topo/topology.js';
import { CAT_FORMS, type CatPrinter } from '../../cat-forms.js';
import { usage } from '../../flags.js';
import { json } from '../../io.js';
import { printable } from '../../lists.js';
import { storeOf } from '../../looking.js';
import { type Call, type VtctlCommand, word } from './command.js';

/** The command that shows records. */
export const TOPO_CAT: VtctlCommand = {
  name: 'TopoCat',
  params: '[-cell <cell>] [-decode_proto] [-decode_proto_json] [-long] <path> [<path>...]',
  describe: 'shows records, their bytes or decoded; * ? [ in paths stand for names',
  flags: { cell: 'text', 'decode-proto': 'switch', 'decode-proto-json': 'switch', long: 'switch' },
  words: [1, Number.POSITIVE_INFINITY],
  run: topoCat,
};

/** The command that shows a record or a directory as one document. */
export const GET_TOPOLOGY_PATH: VtctlCommand = {
  name: 'GetTopologyPath',
  params: '[--data-as-json] </cell/path>',
  describe: 'shows a record or a directory in JSON; / lists global and the cells',
  flags: { 'data-as-json': 'switch' },
  words: [1, 1],
  run: getTopologyPath,
};

/** Vitess writes paths with a leading slash, the contract without. */
export function recordPath(text: string): string {
  return text.replace(/^\/+|\/+$/g, '');
}

/** The store of a scope. NoCell. */
export function storeIn({ topology, options }: Call, scope: string): Promise<Connection> {
  return storeOf(topology, scope, options.signal ?? new AbortController().signal);
}

/** Shows all that can be shown; then fails with the first of what cannot, as Vitess does. */
async function topoCat(call: Call): Promise<void> {
  const { args, io, options } = call;
  const scope = args.text('cell') || GLOBAL;
  const store = await storeIn(call, scope);
  const form = args.isOn('decode-proto-json')
    ? 'decode-proto-json'
    : args.isOn('decode-proto')
      ? 'decode-proto'
      : 'raw';
  let slash = '';
  const printer = CAT_FORMS[form]({
    io,
    scope,
    long: args.isOn('long'),
    unknownFields: false,
    several: true,
    pathOf: ({ path }) => `${slash}${path}`,
  });
  const problems: TopologyError[] = [];
  for (const text of args.words) {
    slash = text.startsWith('/') ? '/' : '';
    const path = recordPath(text);
    try {
      for await (const record of matchingRecords(store, path, options)) add(printer, record, problems);
    } catch (error) {
      if (!isTopologyError(error, ErrorCode.NoNode)) throw error;
      problems.push(await noRecordAt(store, path, options));
    }
  }
  printer.end();
  const [first, ...others] = problems;
  for (const { message } of others) io.err(printable(message));
  if (first !== undefined) throw first;
}

function add(printer: CatPrinter, record: StoredRecord, problems: TopologyError[]): void {
  try {
    printer.add(record);
  } catch (error) {
    if (!isTopologyError(error, ErrorCode.Corrupt)) throw error;
    problems.push(error);
  }
}

async function getTopologyPath(call: Call): Promise<void> {
  const { topology, args, io, options } = call;
  const text = word(call, 0);
  if (!text.startsWith('/')) throw usage('a path begins with /', 'for example /global/keyspaces');
  const [scope = '', ...segments] = recordPath(text).split('/');
  if (scope === '') {
    const cells = (await topology.cells(options)).map(({ name }) => name);
    io.out(json(topologyRoot([GLOBAL, ...cells])));
    return;
  }
  const [store, path] = [await storeIn(call, scope), segments.join('/')];
  if (!args.isOn('data-as-json')) {
    io.out(json(await topologyCell(scope, store, path, options)));
    return;
  }
  const value = await store.get(path, options).catch(async (error: unknown) => {
    throw isTopologyError(error, ErrorCode.NoNode) ? await noRecordAt(store, path, options) : error;
  });
  io.out(json(jsonForm(scope, { path, ...value })));
}
