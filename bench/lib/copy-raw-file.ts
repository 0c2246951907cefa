import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Side } from './copy-place.js';
import type { RawRecord, RawStore } from './copy-raw.js';

const PORTION = 1_000;

/** A line of JSON for each record, its bytes in base64 and nothing decoded; on the disk when it is closed. */
export async function rawFile({ server: path }: Side): Promise<RawStore> {
  let writing: Awaited<ReturnType<typeof open>> | undefined;
  return {
    async read(use) {
      let records: RawRecord[] = [];
      for await (const line of createInterface({ input: createReadStream(path) })) {
        const { name, value } = JSON.parse(line);
        records.push({ name, bytes: Buffer.from(value, 'base64') });
        if (records.length < PORTION) continue;
        await use(records);
        records = [];
      }
      await use(records);
    },
    transaction: { records: 1_000, inFlight: 1 },
    async prepare() {
      writing = await open(path, 'w');
    },
    async write(records) {
      const lines = records.map(
        ({ name, bytes }) => `${JSON.stringify({ name, value: bytes.toString('base64') })}\n`,
      );
      await writing?.write(lines.join(''));
    },
    async close() {
      await writing?.sync();
      await writing?.close();
    },
  };
}
