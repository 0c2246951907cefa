import { checkGraph, type GraphState } from '../../graph/check.js';
import type { Command } from '../command.js';
import { Exit } from '../exit.js';
import { json } from '../io.js';
import { spokenSwitch, withPlace } from '../place.js';
import { checkServed, GRAPH_FLAGS, GRAPH_WORDS, partOf, titleOf } from './graph-part.js';
import { checkedJson, stateText } from './graph-text.js';

export const graphCheckCommand: Command = {
  command: 'check [address] [keyspace]',
  describe: 'say what is stale in the serving graph, and why; exit 1 when something is',
  words: GRAPH_WORDS,
  flags: [
    ...GRAPH_FLAGS,
    spokenSwitch('resolve', 'follow each KEYSPACE.SHARD.TYPE as clients do (of a retired format always)'),
  ],
  examples: [
    ['$0 graph check zk2://zk1:2181/vitess/global', 'all keyspaces and SrvVSchema, in all cells'],
    ['$0 graph check zk2://zk1:2181/vitess/global commerce --cells zone1', 'one record'],
    [
      '$0 graph check zookeeper:/etc/zookeeper/zk_client.json',
      'before a migration: also the names that lead to no tablet',
    ],
  ],
  run: (flags, io, signal) =>
    withPlace(flags, io, signal, { names: ['keyspace'], access: 'read' }, async ({ topology, words }) => {
      const part = partOf(flags, words['keyspace'], topology, signal);
      await checkServed(topology, signal);
      const state = await checkGraph(topology, part);
      const target = titleOf(part.target);
      if (flags['output'] === 'json') {
        const refused = state.refused.map(({ of, error: { code, message, hint } }) => ({
          of,
          code,
          message,
          hint,
        }));
        const { lostServing, withoutPrimary, names } = state;
        const records = state.records.map(checkedJson);
        const stale = staleCount(state);
        io.out(
          json({
            command: 'graph check',
            target,
            stale,
            records,
            refused,
            lostServing,
            withoutPrimary,
            names,
          }),
        );
      } else {
        io.out(`serving graph of ${topology.spelled}, as Vitess ${target} makes it`);
        io.out(stateText(io, state));
      }
      if (staleCount(state) + state.lostServing.length > 0) return Exit.Different;
      return state.refused.length > 0 ? Exit.Guard : Exit.Ok;
    }),
};

function staleCount({ records }: GraphState): number {
  return records.filter(({ state }) => state === 'stale' || state === 'missing').length;
}
