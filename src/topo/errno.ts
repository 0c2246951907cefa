/** Whether an error is one of the operating system's, with one of these codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** What the operating system said of a file: its code, and in words what people do not know by that. */
export function errnoText(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
  return code === 'EROFS' ? `${code}, the file system is read-only` : code;
}
