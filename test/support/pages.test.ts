import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
