// node scripts/lock.js, after package-lock.json changed: a registry that lacks a package's builds for other
// platforms makes npm leave them out of the lock, and `npm ci` then refuses it. This adds them: their versions are
// those that the package names, their platforms are in their names. npm does not fetch them on another platform.
import { readFileSync, writeFileSync } from 'node:fs';
import { at } from './lib/run.js';

const OS = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

function platformOf(name) {
  const words = name.split(/[-/]/);
  const libc = /musl/.test(name) ? ['musl'] : /gnu/.test(name) ? ['glibc'] : undefined;
  return {
    cpu: CPU.filter((cpu) => words.includes(cpu)),
    os: OS.filter((os) => words.includes(os)),
    libc: words.includes('linux') ? libc : undefined,
  };
}

/** The entries for builds that package `folder` names and the lock lacks. */
function missingFrom(packages, folder) {
  const { optionalDependencies = {}, dev } = packages[folder];
  return Object.entries(optionalDependencies).flatMap(([name, version]) => {
    const { cpu, os, libc } = platformOf(name);
    const nearest = [`${folder}/node_modules/${name}`, `node_modules/${name}`].some(
      (path) => path in packages,
    );
    if (folder === '' || nearest || cpu.length !== 1 || os.length !== 1) return [];
    return [[`node_modules/${name}`, { version, cpu, dev, libc, optional: true, os }]];
  });
}

const lock = JSON.parse(readFileSync(at('package-lock.json'), 'utf8'));
const added = Object.keys(lock.packages).flatMap((folder) => missingFrom(lock.packages, folder));
const all = [...Object.entries(lock.packages), ...added].sort(([a], [b]) => a.localeCompare(b, 'en'));
lock.packages = Object.fromEntries(all);
writeFileSync(at('package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
for (const [path, { version }] of added) console.log(`added ${path} ${version}`);
