// npm run bench -- NAME [arguments]: runs bench/NAME.ts against real servers.
import { existsSync, readdirSync } from 'node:fs';
import { buildIfStale, install } from './lib/prepare.js';
import { at, tool } from './lib/run.js';

const say = (line) => process.stderr.write(`${line}\n`);

async function main([name, ...args]) {
  const file = `bench/${name}.ts`;
  if (!/^[\w-]+$/.test(name ?? '') || !existsSync(at(file))) {
    const names = readdirSync(at('bench')).flatMap((entry) =>
      entry.endsWith('.ts') ? [entry.slice(0, -3)] : [],
    );
    say(`npm run bench -- NAME [arguments], where NAME is one of: ${names.join(', ')}`);
    return 2;
  }
  return (
    (await install(say, { quiet: true })) ||
    (await buildIfStale(say, { quiet: true })) ||
    (await tool('tsx', ['test/servers/fetch.ts'], { quiet: true })) ||
    (await tool('tsx', [file, ...args]))
  );
}

process.exitCode = await main(process.argv.slice(2));
