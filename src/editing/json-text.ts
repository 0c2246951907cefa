import type { Json, JsonObject } from '../topo/codec-json.js';
import { ErrorCode, TopologyError } from '../topo/errors.js';

/**
 * Reads a JSON object that a person wrote. Lines that begin with `#` or `//` are comments. Usage, with the line: no JSON, a name
 * twice in one object (all but the last would be lost), a whole number that JSON readers round.
 */
export function readJsonObject(written: string): JsonObject {
  // JSON strings cannot go over the end of a line: no such line is part of one.
  const bare = written.replace(/^\uFEFF/, '').replace(/^[ \t]*(#|\/\/).*$/gm, '');
  const parsed = parse(bare);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw fault('this is no JSON object', undefined, bare);
  checkTokens(bare);
  return parsed;
}

function parse(bare: string): Json {
  if (bare.trim() === '') throw fault('the text is empty', undefined, bare);
  try {
    return JSON.parse(bare);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    // What follows may quote the record.
    const [, reason = 'it ends too early'] =
      /^(Unexpected token '.'|.*?)(?:, | in JSON at position| is not valid| JSON input|$)/su.exec(said) ?? [];
    const position = /at position (\d+)/.exec(said)?.[1];
    const at = position === undefined ? badWord(bare) : Number(position);
    throw fault(`this is no JSON: ${reason.replace(/^Unexpected end of$/, 'it ends too early')}`, at, bare);
  }
}

const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Where the first word is that is no value of JSON. */
function badWord(bare: string): number | undefined {
  for (const { 0: token, index } of bare.matchAll(TOKENS))
    if (!/^(["{}[\],:]|(true|false|null|-?\d+(\.\d+)?([eE][+-]?\d+)?)$)/.test(token)) return index;
  return undefined;
}

/** Of text that is JSON. */
function checkTokens(bare: string): void {
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  let lastAt = 0;
  for (const { 0: token, index } of bare.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') noteName(open.at(-1), last, lastAt, bare);
    else if (/^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token)))
      throw fault('a number this large is not read exactly: put it in quotes', index, bare);
    last = token;
    lastAt = index;
  }
}

function noteName(names: Set<string> | undefined, quoted: string, at: number, bare: string): void {
  const name = String(JSON.parse(quoted));
  if (names?.has(name) === true) throw fault(`${JSON.stringify(name)} is there twice`, at, bare);
  names?.add(name);
}

function fault(reason: string, position: number | undefined, text: string): TopologyError {
  const line = position === undefined ? '' : ` (line ${text.slice(0, position).split('\n').length})`;
  return new TopologyError(ErrorCode.Usage, `${reason}${line}`, {
    hint: 'write one JSON object with proto field names, as cat shows it',
  });
}
