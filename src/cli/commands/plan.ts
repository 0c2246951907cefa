import { planCopy } from '../../copy/copy.js';
import { systemClock } from '../../topo/clock.js';
import { withAskedCells } from '../ask-cells.js';
import { withAskedServing } from '../ask-serving.js';
import { type Command, textFlag } from '../command.js';
import { checkFileDestination, copyOptions, overruling, PLANNING_FLAGS } from '../copy-flags.js';
import { copyJson, dryRunText, openText, planText } from '../copy-text.js';
import { journalOf, leavesBlank, planning, planToFile, withJournal } from '../copying.js';
import { Exit } from '../exit.js';
import { text } from '../flags.js';
import { json } from '../io.js';
import { copyProgress } from '../progress.js';
import { checkCellFlags, PAIR_WORDS, type Pair, withPair } from '../topologies.js';

export const planCommand: Command = {
  command: 'plan [source] [destination]',
  describe: 'show what a copy would do, or write it to a file for copy --plan; writes nothing else',
  words: PAIR_WORDS,
  flags: [
    ...PLANNING_FLAGS,
    textFlag('out', 'file for the plan, as JSON Lines (schema/plan.schema.json)', {
      spoken: true,
      alias: 'o',
    }),
  ],
  examples: [
    [
      '$0 plan --config topo2topo.yaml -o plan.jsonl',
      'to be looked at, then: topo2topo copy --plan plan.jsonl',
    ],
  ],
  run: (flags, io, signal) => {
    const asText = flags['output'] !== 'json';
    const progress = copyProgress(io, { clock: systemClock, asJson: !asText });
    const work = async (opened: Pair) => {
      checkFileDestination(flags, opened);
      const pair = await withAskedCells(flags, io, signal, opened);
      const told = await withAskedServing(flags, io, signal, pair);
      const options = {
        ...withJournal(copyOptions(told, pair, signal, undefined), journalOf(flags, pair), false),
        onProgress: progress.update,
      };
      const out = text(flags, 'out');
      try {
        const prepared = await planning(
          out === undefined ? planCopy(options) : planToFile(out, pair, told, options),
        );
        await checkCellFlags(flags, pair, signal);
        progress.pause();
        const { plan } = prepared;
        if (!asText) {
          const open = openText(prepared);
          if (open !== undefined) io.err(open);
          io.out(json({ ...copyJson(pair, plan, undefined, options.kinds), command: 'plan' }));
        } else {
          io.out(planText(io, pair, prepared, options.kinds));
          io.out(
            out === undefined
              ? dryRunText(io, plan)
              : `the plan is in ${out}; carry it out with: ${io.colors.bold(`topo2topo copy --plan ${[out, ...overruling(told)].join(' ')}`)}`,
          );
        }
        return leavesBlank(plan) ? Exit.Guard : Exit.Ok;
      } finally {
        progress.pause();
      }
    };
    return withPair(flags, io, signal, 'plan', work, progress.retried);
  },
};
