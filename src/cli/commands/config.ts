import type { Command, CommandGroup } from '../command.js';
import { textFlag } from '../command.js';
import { Exit } from '../exit.js';
import { text, usage } from '../flags.js';
import { json } from '../io.js';

const checkCommand: Command = {
  command: 'check [file]',
  describe: 'read a migration file and show what it says, without secrets; connects to nothing',
  words: [{ name: 'file', describe: 'migration file, for example topo2topo.yaml' }],
  flags: [
    textFlag('config', 'migration file, in place of the word'),
    textFlag('output', 'for people or for programs', { choices: ['text', 'json'], preset: 'text' }),
  ],
  examples: [
    ['$0 config check topo2topo.yaml', 'both sides, their cells, and the options'],
    ['$0 config check topo2topo.yaml --output json', 'the same for programs'],
  ],
  async run(flags, io) {
    const word = text(flags, 'file');
    const named = text(flags, 'config');
    const file = word ?? named;
    if (file === undefined) throw usage('no file is given', 'topo2topo config check topo2topo.yaml');
    const { readConfig } = await import('../config/read.js');
    const { checkLogin, configJson, configText } = await import('../config/show.js');
    const config = readConfig(file, io.env);
    checkLogin(config, io.env);
    io.out(flags['output'] === 'json' ? json(configJson(config)) : configText(io, config));
    return Exit.Ok;
  },
};

export const configCommands: CommandGroup = {
  command: 'config',
  describe: 'migration files',
  commands: [checkCommand],
};
