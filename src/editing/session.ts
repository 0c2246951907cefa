import { checkFixed } from '../topo/changes.js';
import type { CallOptions } from '../topo/connection.js';
import { ErrorCode, isTopologyError } from '../topo/errors.js';
import { draftOf, type EditTarget, readDraft, withReason } from './draft.js';
import { type EditPlan, planWrite } from './write.js';

/** Shows a text to a person, and answers with what they made of it. */
export type Editor = (text: string) => Promise<string>;

/**
 * Has a record edited until it can be written, or the person leaves a text with a mistake as it is: then that mistake. A plan
 * without changes: the record is to stay as it is. Corrupt, Unsupported as by {@link draftOf}; BadVersion for a text of another
 * version; what the editor throws.
 */
export async function editRecord(
  target: EditTarget,
  editor: Editor,
  options: CallOptions & { readonly force: boolean },
): Promise<EditPlan> {
  checkFixed(target.store, target);
  let shown = draftOf(target);
  let last: string | undefined;
  for (;;) {
    const edited = await editor(shown);
    if (edited === shown && last === undefined) return NOTHING;
    try {
      const bytes = readDraft(target, edited);
      return bytes === undefined ? NOTHING : await planWrite(target, bytes, options);
    } catch (error) {
      // An editor that is a program writes the same again, without the reason that it was shown.
      if (edited === shown || edited === last || !isTopologyError(error, ...MISTAKES)) throw error;
      shown = withReason(edited, error);
      last = edited;
    }
  }
}

/** What a person can mend in the text. */
const MISTAKES = [ErrorCode.Usage, ErrorCode.InvalidPath, ErrorCode.TooLarge, ErrorCode.Unsupported] as const;

const NOTHING: EditPlan = { changes: [], reasons: [] };
