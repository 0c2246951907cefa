/**
 * Items that are visited at the same time. ZooKeeper writes to its disk once for all that has arrived meanwhile, so many at once are fast; from
 * 1,000 on (`globalOutstandingLimit`) it would let other clients wait.
 */
const AT_ONCE = 768;

/**
 * Visits `top` and all below it, each after the one above it: `visit` gives those that are to be visited next, which are asked for one by one, as
 * their turn comes. After a failure no visit begins, and those that are under way are waited for: what is sent afterwards comes after all that they sent.
 */
export function walkDown<T>(top: T, visit: (item: T) => Promise<Iterable<T>>): Promise<void> {
  return new Promise((resolve, reject) => {
    const ahead: Iterator<T>[] = [[top][Symbol.iterator]()];
    let running = 0;
    let failure: { readonly error: unknown } | undefined;
    const visited = (next: Iterable<T>): void => {
      running -= 1;
      ahead.push(next[Symbol.iterator]());
      goOn();
    };
    const failed = (error: unknown): void => {
      running -= 1;
      failure ??= { error };
      goOn();
    };
    const goOn = (): void => {
      while (failure === undefined && running < AT_ONCE) {
        const last = ahead.at(-1);
        if (last === undefined) break;
        const item = last.next();
        if (item.done === true) ahead.pop();
        else {
          running += 1;
          visit(item.value).then(visited, failed);
        }
      }
      if (running > 0) return;
      if (failure === undefined) resolve();
      else reject(failure.error);
    };
    goOn();
  });
}
