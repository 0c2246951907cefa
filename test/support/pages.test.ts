import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const pages = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const links = (text: string) => [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, to]) => to ?? '');

test('README names every page of docs', () => {
  const named = links(readFileSync(join(ROOT, 'README.md'), 'utf8'));
  expect(pages.filter((page) => !named.includes(`docs/${page}`))).toEqual([]);
});

test('pages link to what is there', () => {
  const files = ['README.md', 'CONTRIBUTING.md', ...pages.map((page) => `docs/${page}`)];
  const broken = files.flatMap((file) =>
    links(readFileSync(join(ROOT, file), 'utf8'))
      .filter((to) => !existsSync(join(ROOT, file, '..', to)))
      .map((to) => `${file}: ${to}`),
  );
  expect(broken).toEqual([]);
});

/** Tests by the names that pages have for them, file or folder, and all that is written in them. */
function testSources(): Map<string, string> {
  const sources = new Map<string, string>();
  const add = (name: string, text: string) => sources.set(name, `${sources.get(name) ?? ''}${text}`);
  const folder = join(ROOT, 'test');
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const isTest =
      file.endsWith('.test.ts') || file.startsWith('conformance/') || file.startsWith('failures/');
    if (!isTest || !file.endsWith('.ts')) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    add(basename(file).replace(/(\.test)?\.ts$/, ''), text);
    add(dirname(file), text);
  }
  return sources;
}

/** What a cell of a table under “shown by” names. */
function shownBy(cell: string): { names: string[]; titles: string[] } {
  const titles = [...cell.matchAll(/“([^”]*)”/g)].map(([, title]) => title ?? '');
  const names = cell.replaceAll(/“[^”]*”/g, '').match(/[a-z0-9]+(-[a-z0-9]+)*/g) ?? [];
  return { names, titles };
}

test('every row of the tables of stores names a test that there is', () => {
  const sources = testSources();
  const rows = readFileSync(join(ROOT, 'docs/stores.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[-| ]*$/.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  const shown: string[][] = [];
  let isShown = false;
  for (const row of rows) {
    if (row.at(-1) === 'shown by') isShown = true;
    else if (row[0] === '') isShown = false;
    else if (row[0] === 'shown by') shown.push(row.slice(1));
    else if (isShown) shown.push(row.slice(-1));
  }
  expect(shown.length).toBeGreaterThan(20);
  const untold = shown.flat().flatMap((cell) => {
    const { names, titles } = shownBy(cell);
    const texts = names.map((name) => sources.get(name));
    if (names.length === 0 || texts.includes(undefined)) return [cell];
    return titles.filter((title) => !texts.some((text) => text?.includes(title)));
  });
  expect(untold).toEqual([]);
});
