import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Debian's own releases; anything else (`bookworm-security`, `jammy`) is no main archive of Debian. */
const RELEASES = new Set(
  'bullseye bookworm trixie forky duke oldoldstable oldstable stable testing sid unstable'.split(' '),
);

interface Source {
  readonly types: readonly string[];
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

const words = (text: string | undefined): string[] => (text ?? '').split(/\s+/).filter((word) => word !== '');

/** Reads apt's one-line format (`deb [options] URI suite component...`). */
function parseOneLine(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(deb)\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
    if (match === null) return [];
    const [, type, uri, suite, components] = match;
    return [{ types: words(type), uris: words(uri), suites: words(suite), components: words(components) }];
  });
}

/** Reads apt's deb822 format (paragraphs of `Key: value`, continued on lines that begin with a blank). */
function parseDeb822(text: string): Source[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = new Map<string, string>();
    let key = '';
    for (const line of paragraph.split('\n')) {
      if (line.startsWith('#')) continue;
      const field = /^([\w-]+):(.*)$/.exec(line);
      if (field !== null) {
        key = (field[1] ?? '').toLowerCase();
        fields.set(key, field[2] ?? '');
      } else if (key !== '') {
        fields.set(key, `${fields.get(key) ?? ''} ${line}`);
      }
    }
    if (/^\s*(no|false|0|off|disable)\s*$/i.test(fields.get('enabled') ?? '')) return [];
    return [
      {
        types: words(fields.get('types')),
        uris: words(fields.get('uris')),
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
      },
    ];
  });
}

async function readSources(etc: string): Promise<Source[]> {
  const parts = join(etc, 'sources.list.d');
  const names = await readdir(parts).catch(() => []);
  const files = [join(etc, 'sources.list'), ...names.sort().map((name) => join(parts, name))];
  const parsed = await Promise.all(
    files.map(async (file) => {
      if (!file.endsWith('.list') && !file.endsWith('.sources')) return [];
      const text = await readFile(file, 'utf8').catch(() => '');
      return file.endsWith('.sources') ? parseDeb822(text) : parseOneLine(text);
    }),
  );
  return parsed.flat();
}

/**
 * The addresses of Debian's main archive that this machine's apt is set up with, likeliest first. A third party
 * may serve a suite of the same name, so that each address has to be tried until one has the packages.
 *
 * @param etc apt's folder of settings
 */
export async function debianMirrors(etc = '/etc/apt'): Promise<string[]> {
  const uris = (await readSources(etc))
    .filter((source) => source.types.includes('deb') && source.components.includes('main'))
    .filter((source) => source.suites.some((suite) => RELEASES.has(suite)))
    .flatMap((source) => source.uris);
  const likely = (uri: string): number => (/\/debian\/?$/.test(uri) ? 0 : 1);
  return [...new Set(uris)].sort((a, b) => likely(a) - likely(b));
}
