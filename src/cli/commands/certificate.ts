import type { Certificate } from '../../verify/certificate.js';
import { type Departure, departures } from '../../verify/holds.js';
import { narrowingOf } from '../../verify/narrowing.js';
import { verify } from '../../verify/verify.js';
import { certificateOf } from '../certificates.js';
import { type Command, type CommandGroup, switchFlags, textFlag } from '../command.js';
import { Exit } from '../exit.js';
import { type Flags, text } from '../flags.js';
import { count, type Io, json } from '../io.js';
import { printable } from '../lists.js';
import { addressNames } from '../side-flags.js';
import { checkCellFlags, PAIR_FLAGS, PAIR_WORDS, withPair } from '../topologies.js';
import { selectionText } from '../verify-text.js';

const checkCommand: Command = {
  command: 'check <file> [source] [destination]',
  describe:
    'check that a certificate is whole, whose it is (--key), and, with addresses, that both stores are as it says; exit 1 when they are not',
  words: [{ name: 'file', describe: 'certificate' }, ...PAIR_WORDS],
  flags: [
    ...PAIR_FLAGS,
    ...switchFlags('allow-empty-cells'),
    textFlag('key', 'file with the public ed25519 key, in PEM, of who signed it', { spoken: true }),
  ],
  examples: [
    ['$0 certificate check cutover.json --key ops.pub', 'whether it is whole and theirs'],
    ['$0 certificate check cutover.json --config topo2topo.yaml', 'and whether the stores are as they were'],
  ],
  async run(flags: Flags, io: Io, signal: AbortSignal) {
    const certificate = certificateOf(text(flags, 'file') ?? '', flags);
    const found = namesStores(flags) ? await departed(certificate, flags, io, signal) : undefined;
    const signature = text(flags, 'key') === undefined ? 'not checked' : 'valid';
    io.out(
      flags['output'] === 'json'
        ? json({ command: 'certificate check', signature, stores: found ?? 'not checked', certificate })
        : checkText(io, certificate, signature, found),
    );
    const isGood = certificate.decision === 'equal' || certificate.decision === 'accepted';
    return isGood && (found ?? []).length === 0 ? Exit.Ok : Exit.Different;
  },
};

export const certificateCommands: CommandGroup = {
  command: 'certificate',
  describe: 'certificates of comparisons, which verify --certificate writes',
  commands: [checkCommand],
};

function namesStores(flags: Flags): boolean {
  return [...addressNames('from'), ...addressNames('to'), 'config'].some((name) => flags[name] !== undefined);
}

function departed(certificate: Certificate, flags: Flags, io: Io, signal: AbortSignal): Promise<Departure[]> {
  return withPair(flags, io, signal, 'compare', async (pair) => {
    await checkCellFlags(flags, pair, signal);
    const now = await verify({
      source: pair.source,
      destination: pair.destination,
      ...narrowingOf(certificate.selection ?? {}),
      digests: true,
      allowEmptyCells: flags['allow-empty-cells'] === true,
      concurrency: Number(flags['concurrency']),
      signal,
    });
    return departures(certificate, now);
  });
}

function checkText(
  io: Io,
  certificate: Certificate,
  signature: string,
  found: readonly Departure[] | undefined,
): string {
  const { bold, green, red, yellow } = io.colors;
  const { decision, compared, started, ended, from, to, tool, selection } = certificate;
  const lines = [
    bold(`certificate of ${printable(from)} → ${printable(to)}`),
    `${decision === 'equal' ? green(decision) : red(decision)}: ${count(compared, 'record')} compared, ${started} to ${ended}, by topo2topo ${printable(tool)}`,
    ...(selection === undefined ? [] : [yellow(selectionText(selection))]),
    `signature: ${signature}`,
  ];
  if (found === undefined) return [...lines, 'stores: not checked, no address was given'].join('\n');
  if (found.length === 0) return [...lines, `stores: ${green('both are as it says')}`].join('\n');
  const departed = found.map(({ scope, side, group, what }) =>
    printable(`  ${side} ${scope}${group === undefined ? '' : ` ${group}`}: ${what}`),
  );
  return [...lines, `stores: ${red('not as it says')}`, ...departed].join('\n');
}
