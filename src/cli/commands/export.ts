import { type WrittenTree, writeTree } from '../../exporting/write-tree.js';
import { systemClock } from '../../topo/clock.js';
import type { Command } from '../command.js';
import { Exit } from '../exit.js';
import { ExportJudge } from '../export-judge.js';
import { count, type Io, json, table } from '../io.js';
import { listLines } from '../lists.js';
import { ADDRESS_WORD, needed, PLACE_FLAGS, withPlace } from '../place.js';
import { transcodedJson, transcodedLines } from '../transcoded-text.js';
import { TOLERANCE_FLAGS, toleranceBy } from '../transcoding-flags.js';
import { version } from '../version.js';

export const exportCommand: Command = {
  command: 'export [address] [folder]',
  describe: 'a topology as a tree of files, one for each record, to look at and to edit',
  words: [ADDRESS_WORD, { name: 'folder', describe: 'name of a folder that does not exist' }],
  flags: [...PLACE_FLAGS, ...TOLERANCE_FLAGS],
  examples: [
    ['$0 export zk2://zk1:2181/vitess/global ./tree', 'records as JSON, in folders as their paths have them'],
    ['$0 export file:./monday.topo ./monday', 'what a backup holds'],
  ],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: ['folder'], access: 'read' }, async ({ topology, words }) => {
      const folder = needed(words, 'folder');
      const exported = new Date(systemClock.now()).toISOString();
      const judge = new ExportJudge(toleranceBy(flags));
      const written = await writeTree(topology, folder, { tool: version(), exported, judge, signal });
      io.out(
        flags['output'] === 'json'
          ? json({ command: 'export', folder, exported, ...written, ...toldJson(judge) })
          : exportText(io, folder, written, judge),
      );
      return Exit.Ok;
    }),
};

/** What is told of records that change their form, by scope; nothing where none does. */
function toldJson({ scopes }: ExportJudge): object {
  const told = scopes.filter(({ transcoded }) => transcoded.from !== undefined);
  if (told.length === 0) return {};
  return { transcoded: Object.fromEntries(told.map((each) => [each.scope, transcodedJson(each)])) };
}

function exportText(
  io: Io,
  folder: string,
  { records, scopes, leftOut, undecodable }: WrittenTree,
  judge: ExportJudge,
): string {
  const { green, yellow } = io.colors;
  return [
    table(io, ['store', 'records'], Object.entries(scopes)),
    ...Object.entries(leftOut).map(([reason, number]) => `  left out, ${reason}: ${number}`),
    ...transcodedLines(io, judge),
    ...listLines(io, yellow('do not decode, kept as bytes'), undecodable),
    `${green('done')} ${count(records, 'record')} in ${folder}; back with ${io.colors.bold(`topo2topo import ${folder}`)}`,
  ].join('\n');
}
