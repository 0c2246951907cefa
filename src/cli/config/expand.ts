import type { Env } from '../io.js';
import type { ConfigDocument, Path } from './document.js';
import { problem } from './problem.js';

const VARIABLE = /\$(\$\{|\{([^}]*)\})/g;

/** A text of a document with `${NAME}` replaced by variables of the environment, and `$${` by `${`. Usage for one that is not set. */
export function expand(document: ConfigDocument, path: Path, text: string, env: Env): string {
  return text.replace(VARIABLE, (_, all: string, name: string | undefined) => {
    if (all === '${') return all;
    const value = env[name ?? ''];
    if (value !== undefined && value !== '') return value;
    throw problem(
      document.file,
      document.locate(path),
      `${path.join('.')}: the variable ${name} of the environment is not set`,
      'set it, or write $${ for a plain ${',
    );
  });
}
