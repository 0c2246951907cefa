/**
 * Items that are visited at the same time. ZooKeeper writes to its disk once for all that has arrived meanwhile, so many at once are fast; from
 * 1,000 on (`globalOutstandingLimit`) it would let other clients wait.
 */
const AT_ONCE = 768;

/**
 * Visits `top` and all below it, each after the one above it: `visit` gives those that are to be visited next. After a failure no visit
 * begins, and those that are under way are waited for: what is sent afterwards comes after all that they sent.
 */
export function walkDown<T>(top: T, visit: (item: T) => Promise<Iterable<T>>): Promise<void> {
  return new Promise((resolve, reject) => {
    const ahead = [top];
    let running = 0;
    let failure: { readonly error: unknown } | undefined;
    const visited = (next: Iterable<T>): void => {
      running -= 1;
      for (const each of next) ahead.push(each);
      goOn();
    };
    const failed = (error: unknown): void => {
      running -= 1;
      failure ??= { error };
      goOn();
    };
    const goOn = (): void => {
      while (failure === undefined && running < AT_ONCE) {
        const item = ahead.pop();
        if (item === undefined) break;
        running += 1;
        visit(item).then(visited, failed);
      }
      if (running > 0) return;
      if (failure === undefined) resolve();
      else reject(failure.error);
    };
    goOn();
  });
}
