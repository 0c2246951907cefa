import type { Cluster } from './cluster.js';
import { FaultWay } from './fault-proxy.js';

/** The way to members of a cluster, `host:port` each, on which whatever they tell takes `behindMs` milliseconds. */
export async function slowWay(members: readonly string[], behindMs: number): Promise<FaultWay> {
  const way = await FaultWay.to(members.join());
  for (const proxy of way.proxies) proxy.shape('answers', { latencyMs: behindMs });
  return way;
}

/** A cluster with which the way between its members ends, also where it does not start. */
export async function closingWay(
  starting: Promise<Cluster>,
  way: () => FaultWay | undefined,
): Promise<Cluster> {
  try {
    const started = await starting;
    const stop = async () => {
      await started.stop();
      await way()?.close();
    };
    return { ...started, stop };
  } catch (error) {
    await way()?.close();
    throw error;
  }
}
