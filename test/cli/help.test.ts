import { describe, expect, test } from 'vitest';
import type { Command, FlagSpec } from '../../src/cli/command.js';
import { markProgram } from '../../src/cli/program-line.js';
import { COMMANDS } from '../../src/cli/run.js';
import { cli } from '../support/cli.js';

interface Named {
  /** The words that call it. */
  readonly words: readonly string[];
  readonly command: Command;
}

const NAMED: readonly Named[] = COMMANDS.flatMap((each) =>
  'commands' in each
    ? each.commands.map((command) => ({ words: [each.command, ...firstWord(command)], command }))
    : [{ words: firstWord(each), command: each }],
);

/** The command that has no name is called without one. */
function firstWord({ command }: Command): string[] {
  const [word = ''] = command.split(' ');
  return word === '$0' ? [] : [word];
}

function namesOf({ name, alias }: FlagSpec): string[] {
  return alias === undefined ? [name] : [name, alias];
}

describe.each(NAMED.map(({ words, command }) => [words.join(' '), words, command] as const))(
  'topo2topo %s --help',
  (_, words, command) => {
    test('describes it, its words and its flags', async () => {
      const { code, out, err } = await cli([...words, '--help']);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      const unwrapped = out.replace(/\s+/g, ' ');
      expect(unwrapped).toContain(command.describe);
      for (const { name, describe: says } of command.words ?? []) {
        expect(unwrapped).toContain(name);
        expect(unwrapped).toContain(says);
      }
      for (const { name, hidden } of command.flags ?? [])
        if (hidden !== true) expect(unwrapped).toMatch(new RegExp(`--?${name}\\b`));
    });

    test('has examples, with flags that it knows, each with what it does', () => {
      expect(command.examples ?? []).not.toEqual([]);
      // yargs takes a word by its name, too.
      const named = (command.words ?? []).map(({ name }) => name);
      const known = new Set(['help', ...named, ...(command.flags ?? []).flatMap(namesOf)]);
      for (const [line, does] of command.examples ?? []) {
        expect(line.startsWith(['$0', ...words].join(' '))).toBe(true);
        expect(does).not.toBe('');
        // What follows is another program's command line, or a command of Vitess.
        const [own = ''] = markProgram(line.split(' ').slice(1)).join(' ').split(' -- ');
        const given = [...own.matchAll(/ --?([a-zA-Z][\w-]*)/g)].map(([, name]) =>
          name?.replaceAll('_', '-'),
        );
        expect(given.filter((name) => name !== undefined && !known.has(name))).toEqual([]);
      }
    });
  },
);

test('no flag is a switch to one command and takes a value of another', () => {
  const flags = NAMED.flatMap(({ command }) => command.flags ?? []);
  const namesThat = (isSwitch: boolean) =>
    new Set(flags.filter(({ kind }) => (kind === 'switch') === isSwitch).flatMap(namesOf));
  const [switches, others] = [namesThat(true), namesThat(false)];
  expect([...switches].filter((name) => others.has(name))).toEqual([]);
});

describe('a switch with a value', () => {
  const commands = NAMED.map(({ words, command }) => ({
    words,
    switches: (command.flags ?? []).filter(({ kind }) => kind === 'switch').map(({ name }) => `--${name}`),
  })).filter(({ switches }) => switches.length > 0);

  test.each(commands.map(({ words, switches }) => [words.join(' '), words, switches] as const))(
    'of %s is understood or refused',
    async (_, words, switches) => {
      for (const name of switches) {
        const refused = await cli([...words, `${name}=maybe`]);
        expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(`${name} is true or false`) });
      }
      // What is refused without --help is what the command cannot do without, not a switch.
      for (const value of ['1', 'F']) {
        const understood = await cli([...words, ...switches.map((name) => `${name}=${value}`), '--help']);
        expect(understood).toMatchObject({ code: 0, err: '' });
      }
    },
  );
});
