/** What the holder of a lock says of itself. */
export interface LockContents {
  /** What it is doing: `PlannedReparentShard(…)` … */
  readonly action: string;
  readonly host: string | undefined;
  readonly user: string | undefined;
  /** Milliseconds since the epoch, by the holder's own clock. */
  readonly time: number | undefined;
  /** `Running` while it is held. */
  readonly status: string | undefined;
}

/** Who takes a lock, and what for. */
export interface LockTaker {
  readonly action: string;
  /** Undefined: unknown. */
  readonly host?: string | undefined;
  /** Undefined: unknown. */
  readonly user?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The contents of a lock, byte for byte as Vitess writes them (go/vt/topo/locks.go, type Lock, of version 21 and newer). */
export function makeLockContents({ action, host, user, now }: LockTaker): string {
  const fields = {
    Action: action,
    HostName: host ?? UNKNOWN,
    UserName: user ?? UNKNOWN,
    Time: localTime(now),
    Options: {},
    Status: 'Running',
  };
  // encoding/json escapes what could end a script or a line in HTML.
  return JSON.stringify(fields, null, 2).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const UNKNOWN = 'unknown';

/**
 * Reads the contents of a lock: those of any version of Vitess, with whatever follows them. Undefined for a text that is
 * something else, which a store does not mind.
 */
export function parseLockContents(text: string): LockContents | undefined {
  const fields = firstObject(text);
  const action = fields?.['Action'];
  if (fields === undefined || typeof action !== 'string') return undefined;
  const known = (name: string) => {
    const value = fields[name];
    return typeof value === 'string' && value !== '' && value !== UNKNOWN ? value : undefined;
  };
  const time = Date.parse(known('Time') ?? '');
  return {
    action,
    host: known('HostName'),
    user: known('UserName'),
    time: Number.isNaN(time) ? undefined : time,
    status: known('Status'),
  };
}

/** RFC 3339 in whole seconds with the offset of this machine, as Go's time.RFC3339 has it. */
function localTime(now: number): string {
  const offset = -new Date(now).getTimezoneOffset();
  const local = new Date(now + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const two = (number: number) => String(number).padStart(2, '0');
  const minutes = Math.abs(offset);
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** The JSON object that a text begins with. The first releases of Vitess wrote two more values behind it. */
function firstObject(text: string): Readonly<Record<string, unknown>> | undefined {
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (match[0] === '{') depth += 1;
    if (match[0] === '}') depth -= 1;
    if (depth === 0) return asObject(text.slice(0, match.index + match[0].length));
  }
  return undefined;
}

function asObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
