import { encodeWritten } from '../../editing/draft.js';
import type { Target } from '../../editing/target.js';
import { checkExpected, type Expected, planWrite } from '../../editing/write.js';
import { carryOut } from '../changes.js';
import { type Command, textFlag } from '../command.js';
import { readFlagFile } from '../files.js';
import { type Flags, text, usage } from '../flags.js';
import type { Io } from '../io.js';
import { isGiven, spokenSwitch } from '../place.js';
import { fileFlag, TARGET_WORDS, WRITING_FLAGS, withTarget } from '../writing.js';

const ADDRESS = 'zk2://zk1:2181/vitess/global';

export const putCommand: Command = {
  command: 'put [address] [path]',
  describe: 'write a record: the bytes given, or JSON',
  words: TARGET_WORDS,
  flags: [
    ...WRITING_FLAGS,
    textFlag('file', 'the record; - for standard input (default)', { spoken: true }),
    spokenSwitch('json', 'what is given is JSON as cat shows it, to be encoded'),
    spokenSwitch('create', 'only where there is no record'),
    textFlag('if-version', 'only over this version, as cat --output json prints it', { spoken: true }),
  ],
  examples: [
    [
      `$0 put ${ADDRESS} metadata/owner --file owner.txt`,
      'the bytes of a file; without --file those piped in',
    ],
    [`$0 put ${ADDRESS} keyspaces/shop/Keyspace --json --file shop.json --create`, 'encoded'],
    [`$0 put ${ADDRESS} keyspaces/shop/VSchema --json --file v.json --if-version 3,1027`, 'or not at all'],
  ],
  async run(flags, io, signal) {
    const expected = expectedState(flags);
    const force = isGiven(flags, 'force');
    const asJson = isGiven(flags, 'json');
    const given = await givenBytes(flags, io, signal);
    return withTarget(flags, io, signal, async (target: Target) => {
      checkExpected(target, expected);
      const bytes = asJson ? encodeWritten(target, given) : given;
      const plan = await planWrite(target, bytes, { signal, force });
      return carryOut(flags, io, signal, { command: 'put', topology: target.topology, ...plan });
    });
  },
};

function expectedState(flags: Flags): Expected {
  const version = text(flags, 'if-version');
  if (isGiven(flags, 'create')) {
    if (version !== undefined) throw usage('--create and --if-version exclude one another');
    return { absent: true };
  }
  return version === undefined ? undefined : { version };
}

async function givenBytes(flags: Flags, io: Io, signal: AbortSignal): Promise<Uint8Array> {
  const file = fileFlag(flags);
  return file === undefined || file === '-' ? io.input(signal) : readFlagFile(file);
}
