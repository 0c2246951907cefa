import { THEMES } from './themes.js';

/** Prints every sentence of the contract, by theme. */
let count = 0;
for (const { name, sentences } of THEMES) {
  process.stdout.write(`\n${name}\n`);
  for (const { title, when } of sentences) {
    count += 1;
    process.stdout.write(
      `  - ${title}${when === undefined || when.text === 'always' ? '' : ` [${when.text}]`}\n`,
    );
  }
}
process.stdout.write(`\n${count} sentences\n`);
