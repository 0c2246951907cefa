/** The makers' version in one of Debian's (`3.3.25+dfsg-6+b6` is 3.3.25). */
export const upstream = (debian: string | undefined): string =>
  /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(debian ?? '')?.[1] ?? 'unknown';
