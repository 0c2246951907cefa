import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit, type YAMLError } from 'yaml';
import { readFlagFile } from '../files.js';
import { shown } from '../flags.js';
import { type Position, problem } from './problem.js';

/** Keys from the top of a document down to a value. */
export type Path = readonly string[];

/** A YAML document, and where in its text each of its values is. */
export interface ConfigDocument {
  readonly file: string;
  /** Plain values: mappings, lists, texts, numbers, booleans, null. */
  readonly value: unknown;
  /** Where the value at a path is; with `key`, where its key is. The nearest place above it where there is none. */
  locate(path: Path, part?: 'key'): Position;
}

/** Reads a file of one YAML document. Usage, with the place, for anything else; nothing that the file holds is in the message. */
export function readDocument(file: string): ConfigDocument {
  const lines = new LineCounter();
  const text = readFlagFile(file).toString('utf8');
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const position = (offset: number): Position => lines.linePos(offset);
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) throw problem(file, position(broken.pos[0]), yamlMessage(text, broken));
  visit(document, {
    Alias(_, { range }) {
      throw problem(
        file,
        position(range?.[0] ?? 0),
        'a migration file has no aliases',
        'write the value again',
      );
    },
  });
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null))
    throw problem(file, { line: 1, col: 1 }, 'the file is empty', 'it begins with from: and to:');
  return {
    file,
    value: document.toJS(),
    locate: (path, part) => position(offsetOf(contents, path, part)),
  };
}

function offsetOf(top: unknown, path: Path, part: 'key' | undefined): number {
  let node = top;
  let offset = startOf(node) ?? 0;
  for (const [index, key] of path.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((each) => isScalar(each.key) && String(each.key.value) === key);
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      if (index === path.length - 1 && part === 'key') return offset;
      node = pair.value;
    } else {
      node = isSeq(node) ? node.items[Number(key)] : undefined;
    }
    offset = startOf(node) ?? offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** yaml's own messages quote the file, which may hold a secret there. */
function yamlMessage(text: string, { code, pos }: YAMLError): string {
  // Between braces a text ends at the next one.
  if (text.startsWith(`\${`, pos[0] - 1)) return `a text with \${NAME} needs quotes between braces`;
  switch (code) {
    case 'DUPLICATE_KEY': {
      const key = /^[\w-]+/.exec(text.slice(pos[0]))?.[0];
      return key === undefined ? 'a key is given twice' : `the key ${shown(key)} is given twice`;
    }
    case 'TAB_AS_INDENT':
      return 'a tab: YAML indents with spaces';
    case 'MULTIPLE_DOCS':
      return 'a second document begins here: the file holds one';
    case 'BAD_INDENT':
      return 'this is not indented as YAML wants it, or a bracket or a quote before it is not closed';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a second key in one line: is this a text with a colon, which needs quotes?';
    case 'MISSING_CHAR':
      return 'something is missing before this: a colon, a comma, a quote or a bracket';
    case 'TAG_RESOLVE_FAILED':
      return 'a migration file has no tags';
    default:
      return `this is not YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
  }
}
