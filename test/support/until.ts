/** Repeats `attempt` until it answers true. */
export async function until(
  what: string,
  attempt: () => boolean | Promise<boolean>,
  ms = 25_000,
): Promise<void> {
  const limit = Date.now() + ms;
  while (!(await attempt())) {
    if (Date.now() > limit) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
