/**
 * A module of src as it is shipped, from dist. tsx's own compilation defines a name for each closure when the program
 * runs, which makes short calls dearer than they are.
 *
 * @param path below dist
 */
export async function compiled<M>(path: string): Promise<M> {
  return import(new URL(`../../dist/${path}`, import.meta.url).href);
}
