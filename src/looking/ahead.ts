/** Calls that a command has in flight at once. */
const WIDTH = 64;

/** The results of calls, in the order of the items, of which as many are begun ahead as a store answers well. */
export async function* ahead<T, R>(
  items: Iterable<T>,
  call: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const begun: Promise<R>[] = [];
  const next = async (): Promise<R> => {
    const [first] = begun.splice(0, 1);
    if (first === undefined) throw new Error('nothing was begun');
    return first;
  };
  for (const item of items) {
    const result = call(item);
    // It is raised when its turn comes, or by nobody once an earlier one failed.
    result.catch(() => {});
    begun.push(result);
    if (begun.length >= WIDTH) yield await next();
  }
  while (begun.length > 0) yield await next();
}
