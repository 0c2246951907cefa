import { readFlagFile } from './files.js';
import { shown, usage } from './flags.js';

const ENDPOINT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/@,[\]]+):(\d{1,5})$/;

/**
 * The processes that `--gates` names: `host:port` with commas, or a file with one in each line, where `#` begins a comment. Each
 * once. Usage for what is neither.
 */
export function readGates(given: string | undefined): string[] {
  if (given === undefined) return [];
  const words = given.split(',').map((word) => word.trim());
  if (words.every((word) => ENDPOINT.test(word))) return checked(words, '--gates');
  // A list with a fault in it is not the name of a file.
  const faulty = words.length > 1 ? words.find((word) => !ENDPOINT.test(word)) : undefined;
  if (faulty !== undefined) throw notHostPort(faulty, '--gates');
  const lines = readFlagFile(given)
    .toString('utf8')
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  if (lines.length === 0)
    throw usage(`the file ${given} names no process`, 'write host:port, one in each line');
  return checked(lines, `the file ${given}`);
}

function checked(words: readonly string[], where: string): string[] {
  const faulty = words.find((word) => {
    const [, , port] = ENDPOINT.exec(word) ?? [];
    return port === undefined || Number(port) < 1 || Number(port) > 65_535;
  });
  if (faulty !== undefined) throw notHostPort(faulty, where);
  return [...new Set(words)];
}

function notHostPort(word: string, where: string) {
  return usage(`${shown(word)} in ${where} is not host:port`, 'give the web port, for example gate1:15001');
}
