import { setMaxListeners } from 'node:events';
import { type CallContext, interrupted, timedOut, timeLeft } from '../topo/calls.js';
import type { CallOptions } from '../topo/connection.js';
import type { HttpClient, HttpMember } from './client.js';

/**
 * Does what may wait for long, such as for a lock. Its signal fires with the error of a wait that is over: Interrupted when the caller has enough of it or
 * the connection is closed, Timeout at the deadline.
 *
 * @param about the path that errors name
 */
export async function waiting<M extends HttpMember, T>(
  client: HttpClient<M>,
  about: string,
  options: CallOptions | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const context: CallContext = client.context;
  const left = timeLeft(context, options, about);
  const stop = new AbortController();
  const onAbort = () => stop.abort(interrupted(context, about, options?.signal?.reason));
  const onClosed = () => stop.abort(interrupted(context, about, client.closed.reason));
  const onDeadline = () => stop.abort(timedOut(context, about));
  const cancelTimer = options?.deadline === undefined ? undefined : context.clock.schedule(left, onDeadline);
  // Many calls share one signal; Node would take that for a leak.
  if (options?.signal !== undefined) setMaxListeners(0, options.signal);
  options?.signal?.addEventListener('abort', onAbort, { once: true });
  client.closed.addEventListener('abort', onClosed, { once: true });
  const forget = client.beforeClose(async () => onClosed());
  try {
    return await work(stop.signal);
  } finally {
    cancelTimer?.();
    options?.signal?.removeEventListener('abort', onAbort);
    client.closed.removeEventListener('abort', onClosed);
    forget();
  }
}
