/** A moment as the old tool prints it: local time, in seconds. */
export function localTime(ms: number): string {
  const at = new Date(ms);
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(two).join('-');
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`;
}

/** {@link localTime} in microseconds, of which ZooKeeper knows the first three digits. */
export function localMicroseconds(ms: number): string {
  return `${localTime(ms)}.${String(new Date(ms).getMilliseconds()).padStart(3, '0')}000`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
