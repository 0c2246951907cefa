import { hasJava } from './java.js';
import { BUNDLES, type BundleName, bundle, cacheFolder, forgetFailure } from './packages.js';

const isBundle = (name: string): name is BundleName => Object.hasOwn(BUNDLES, name);

/** Fetches every server the tests use. What cannot be had is left out of the tests, which say so. */
async function main(): Promise<void> {
  console.log(`test servers are kept in ${cacheFolder()}`);
  for (const name of Object.keys(BUNDLES).filter(isBundle)) {
    if (name === 'java' && (await hasJava())) {
      await forgetFailure(name);
      continue;
    }
    try {
      const { versions } = await bundle(name, (line) => console.log(line));
      const shown = ['zookeeper', 'etcd-server', 'consul', 'openjdk-17-jre-headless']
        .filter((product) => versions[product] !== undefined)
        .map((product) => `${product} ${versions[product]}`);
      console.log(`${name}: ${shown.join(', ')}`);
    } catch (error) {
      console.log(`NOT AVAILABLE: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

await main();
