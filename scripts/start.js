// npm start: installs and builds what is missing, then runs the tool with the arguments given, or its demo.
import { spawn } from 'node:child_process';
import { buildIfStale, install } from './lib/prepare.js';
import { at, exitCode } from './lib/run.js';

/** Standard output belongs to the tool. */
const say = (line) => process.stderr.write(`${line}\n`);

async function prepare() {
  return (await install(say, { quiet: true })) || (await buildIfStale(say, { quiet: true }));
}

function runTool(args) {
  const child = spawn(process.execPath, [at('bin/topo2topo.js'), ...args], { stdio: 'inherit' });
  // A terminal sends its interrupt to the tool as well: a second one would count as the user's impatience.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  process.on('SIGINT', () => terminal || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(exitCode(code, signal)));
}

const code = await prepare();
if (code !== 0) process.exit(code);
const args = process.argv.slice(2);
runTool(args.length === 0 ? ['demo'] : args);
