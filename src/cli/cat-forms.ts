import {
  jsonForm,
  jsonLine,
  longKeys,
  longLine,
  type ShownRecord,
  shownRecord,
  textForm,
} from '../looking/forms.js';
import type { JsonObject } from '../topo/codec-json.js';
import type { StoredRecord } from '../topo/connection.js';
import { type Io, json, size } from './io.js';
import { printable, printableText } from './lists.js';

/** How `cat` is to print records. */
export interface CatSettings {
  readonly io: Io;
  readonly scope: string;
  /** Say of each record its path and version. */
  readonly long: boolean;
  readonly unknownFields: boolean;
  /** Whether a pattern was asked for, which may mean several records. */
  readonly several: boolean;
  /** A path as it is shown: as it was given, with or without a leading slash. */
  readonly pathOf: (record: StoredRecord) => string;
}

/** Prints records one by one. Corrupt from `add`, with nothing printed, for one that does not decode and has no other form. */
export interface CatPrinter {
  add(record: StoredRecord): void;
  end(): void;
}

/** The forms of `cat`, by the name of their flag; `decoded` and `json` have none. */
export const CAT_FORMS = {
  raw: rawPrinter,
  'decode-proto': textPrinter,
  'decode-proto-json': jsonLinePrinter,
  'data-as-json': jsonPrinter,
  decoded: decodedPrinter,
  json: recordPrinter,
} as const satisfies Readonly<Record<string, (settings: CatSettings) => CatPrinter>>;

function rawPrinter(settings: CatSettings): CatPrinter {
  return {
    add(record) {
      head(settings, record);
      settings.io.outBytes(record.bytes);
      if (settings.long) endLine(settings.io, record.bytes);
    },
    end() {},
  };
}

function textPrinter(settings: CatSettings): CatPrinter {
  const { io, scope } = settings;
  return {
    add(record) {
      const text = textForm(scope, record, settings);
      head(settings, record);
      if (text !== undefined) {
        io.out(text);
      } else {
        io.outBytes(record.bytes);
        endLine(io, record.bytes);
      }
    },
    end() {},
  };
}

function jsonLinePrinter({ io, scope, long, pathOf, ...more }: CatSettings): CatPrinter {
  const all: JsonObject[] = [];
  return {
    add(record) {
      const own = jsonForm(scope, record, more);
      all.push(long ? { ...own, ...longKeys(pathOf(record), record) } : own);
    },
    end: () => io.out(jsonLine(all)),
  };
}

function jsonPrinter(settings: CatSettings): CatPrinter {
  return {
    add(record) {
      const own = jsonForm(settings.scope, record, settings);
      head(settings, record);
      settings.io.out(json(own));
    },
    end() {},
  };
}

function decodedPrinter(settings: CatSettings): CatPrinter {
  const { io, scope, several, pathOf } = settings;
  return {
    add(record) {
      if (settings.long) head(settings, record);
      else if (several) io.out(io.colors.bold(printable(pathOf(record))));
      io.out(recordText(io, shownRecord(scope, record)));
    },
    end() {},
  };
}

function recordPrinter({ io, scope, several }: CatSettings): CatPrinter {
  const all: unknown[] = [];
  return {
    add(record) {
      const { path, version, ephemeral } = record;
      all.push({ scope, path, version: version.token, ephemeral, ...shownRecord(scope, record) });
    },
    end: () => io.out(json(several ? all : all[0])),
  };
}

function head({ io, long, pathOf }: CatSettings, record: StoredRecord): void {
  if (long) io.out(longLine(pathOf(record), record));
}

function endLine(io: Io, bytes: Uint8Array): void {
  if (bytes.length > 0 && bytes.at(-1) !== 0x0a) io.out('');
}

function recordText(io: Io, shown: ShownRecord): string {
  const lines = [];
  if (shown.problem !== undefined)
    lines.push(io.colors.yellow(`does not decode: ${printable(shown.problem)}`));
  if (shown.json !== undefined) lines.push(json(shown.json));
  else if (shown.text !== undefined) lines.push(printableText(shown.text.replace(/\n$/, '')));
  else lines.push(`${shown.base64} (base64, ${size(shown.size)})`);
  if (shown.unknownFields !== undefined)
    lines.push(io.colors.yellow(`unknown fields, kept as they are: ${json(shown.unknownFields)}`));
  return lines.join('\n');
}
