import type { FoundEntry, LockPlace } from './found-locks.js';

/** What is locked, in words. */
export function lockTitle({ type, name }: LockPlace): string {
  return `the lock of ${type} ${name}`;
}

/** Who has a lock and for what, in words that follow {@link lockTitle}. */
export function lockState({ orphan, said }: FoundEntry): string {
  const doing = said === undefined ? '' : ` for ${said.action.replace(/\s+/g, ' ')}`;
  const by =
    said?.host === undefined ? '' : ` by ${said.user === undefined ? '' : `${said.user}@`}${said.host}`;
  return orphan ? `belongs to no session, taken${doing}${by}` : `is held${by}${doing}`;
}
