import type { ZkCommand } from './command.js';
import { usage } from './error.js';
import { forEachPath, resolve } from './paths.js';
import { PERMISSIONS } from './stat.js';

export const chmod: ZkCommand = {
  name: 'chmod',
  params: 'n+MODE|n-MODE PATH…',
  describe: 'give or take permissions (r, w, d, c, a) in the first entry of the ACL',
  flags: {},
  words: [2, Number.POSITIVE_INFINITY],
  pathsFrom: 1,
  async run({ znodes, output }, { words: [mode = '', ...words] }) {
    const change = changeOf(mode);
    await forEachPath('chmod', await resolve(znodes, words), output.warn, async (path) => {
      const { acl, stat } = await znodes.read(path, (client, options) => client.getAcl(path, options));
      const changed = acl.map((entry, index) =>
        index === 0 ? { ...entry, perms: change(entry.perms) } : entry,
      );
      await znodes.write(path, (client, options) => client.setAcl(path, changed, stat.aversion, options));
    });
  },
};

function changeOf(mode: string): (perms: number) => number {
  const [, sign, letters] = /^n([+-])([rwdca]+)$/.exec(mode) ?? [];
  if (letters === undefined)
    throw usage(
      `chmod: ${mode} is no mode`,
      'write n+ or n- and then letters of r, w, d, c, a, for example n+rw',
    );
  let mask = 0;
  for (const [letter, bit] of PERMISSIONS) if (letters.includes(letter)) mask |= bit;
  return (perms) => (sign === '+' ? perms | mask : perms & ~mask);
}
