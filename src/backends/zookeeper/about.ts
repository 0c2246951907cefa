import { isTopologyError } from '../../topo/errors.js';

/** What `work` gives; its errors are about a canonical path in place of the native one. */
export async function about<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isTopologyError(error) && error.path !== undefined ? error.about(path) : error;
  }
}
