import { ServingGraph } from '../graph/serving-graph.js';
import { isAtLeast } from '../graph/target.js';
import { type Flags, texts } from './flags.js';
import type { Io } from './io.js';
import { printable } from './lists.js';
import type { Pair } from './topologies.js';
import { servingBy } from './transcoding-flags.js';

/**
 * Asks a person whether each shard serves of which neither the records of an old store nor the flags tell, and answers with flags that say so. Where
 * nobody can be asked, and where nobody says yes or no, they stay as they are, and the copy names the shards.
 */
export async function withAskedServing(
  flags: Flags,
  io: Io,
  signal: AbortSignal,
  { source, destination }: Pair,
): Promise<Flags> {
  const { target, serving } = servingBy(flags);
  const [from, to] = [source, destination].map(({ global }) => global.capabilities.form);
  const isNeeded = from !== undefined && to === undefined && target !== undefined && isAtLeast(target, 12);
  if (!isNeeded || io.ask === undefined || flags['output'] === 'json') return flags;
  const graph = new ServingGraph(source, serving);
  await graph.read({ signal });
  const answers: string[] = [];
  for (const shard of graph.silent()) {
    const question = `does shard ${printable(shard)} serve? nothing tells; yes or no: `;
    const answer = (await io.ask(question, signal)).trim();
    if (/^y(es)?$/i.test(answer)) answers.push(`${shard}=yes`);
    else if (/^no?$/i.test(answer)) answers.push(`${shard}=no`);
  }
  if (answers.length === 0) return flags;
  io.err(`the same without questions: ${answers.map((answer) => `--serving ${answer}`).join(' ')}`);
  return { ...flags, serving: [...texts(flags, 'serving'), ...answers] };
}
