/** A vttime.Time, as a record's JSON has it, in nanoseconds since the epoch; absent: 0. */
export function termOf(time: unknown): bigint {
  const { seconds = 0, nanoseconds = 0 } =
    typeof time === 'object' && time !== null
      ? (time as { readonly seconds?: unknown; readonly nanoseconds?: unknown })
      : {};
  return BigInt(String(seconds)) * 1_000_000_000n + BigInt(String(nanoseconds));
}
