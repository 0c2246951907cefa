import { afterAll, beforeAll, describe, test } from 'vitest';
import { Run } from './context.js';
import type { Subject } from './subject.js';
import { THEMES } from './themes.js';
import { SENTENCE_LIMIT_MS } from './tools.js';

export type { OpenOptions, Subject } from './subject.js';

const START_LIMIT_MS = 180_000;

/**
 * Runs every sentence of the contract over a subject, as tests of vitest, or those of the themes that are `about` something. What a store cannot do is not left out: for
 * each `when` there is a sentence that says how it is refused; what does not apply is shown as skipped, with the reason.
 */
export function runConformance(subject: Subject, about?: RegExp): void {
  const titles = new Set(THEMES.flatMap(({ sentences }) => sentences.map(({ title }) => title)));
  for (const title of Object.keys(subject.expects ?? {}))
    if (!titles.has(title)) throw new Error(`a deviation is declared from no sentence: ${title}`);

  describe(`${subject.name} keeps the contract`, () => {
    const run = new Run(subject);
    beforeAll(() => subject.start?.(), START_LIMIT_MS);
    afterAll(() => subject.stop?.(), START_LIMIT_MS);
    for (const { name, sentences } of THEMES) {
      if (about?.test(name) === false) continue;
      describe(name, () => {
        for (const sentence of sentences) {
          test(sentence.title, { timeout: SENTENCE_LIMIT_MS }, async ({ skip }) => {
            const outcome = await run.check(sentence);
            if (outcome.kind === 'skipped') skip(outcome.reason);
          });
        }
      });
    }
  });
}
