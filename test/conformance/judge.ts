import { Run } from './context.js';
import type { Sentence } from './sentence.js';
import type { Subject } from './subject.js';
import { THEMES } from './themes.js';
import { SENTENCE_LIMIT_MS, within } from './tools.js';

/** What became of one sentence outside the test runner. */
export interface Verdict {
  readonly theme: string;
  readonly title: string;
  readonly outcome: 'holds' | 'skipped' | 'broken';
  /** Why it was skipped or is broken. */
  readonly reason: string;
  readonly ms: number;
}

/** Runs the chosen sentences (default: all) over a subject, one after the other. */
export async function judge(
  subject: Subject,
  chosen: (title: string, theme: string) => boolean = () => true,
): Promise<Verdict[]> {
  const run = new Run(subject);
  const verdicts: Verdict[] = [];
  await subject.start?.();
  try {
    for (const { name, sentences } of THEMES) {
      for (const sentence of sentences.filter(({ title }) => chosen(title, name)))
        verdicts.push({ theme: name, ...(await verdict(run, sentence)) });
    }
  } finally {
    await subject.stop?.();
  }
  return verdicts;
}

async function verdict(run: Run, sentence: Sentence): Promise<Omit<Verdict, 'theme'>> {
  const begun = Date.now();
  const { title } = sentence;
  try {
    const outcome = await within(SENTENCE_LIMIT_MS, 'the sentence', run.check(sentence));
    const reason = outcome.kind === 'skipped' ? outcome.reason : '';
    return { title, outcome: outcome.kind, reason, ms: Date.now() - begun };
  } catch (error) {
    return { title, outcome: 'broken', reason: String(error), ms: Date.now() - begun };
  }
}
