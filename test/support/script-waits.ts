/** Of an editor's script: waits until a shell condition holds, but not for ever, since a test that fails leaves the script behind. */
export function scriptWaits(condition: string): string {
  return [
    'waited=0',
    `until ${condition}; do`,
    '  kill -0 $PPID && [ $waited -lt 1200 ] || { echo "nobody ended the wait" >&2; exit 1; }',
    '  waited=$((waited + 1)); sleep 0.05',
    'done',
  ].join('\n');
}
