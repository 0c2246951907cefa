import { MultiBar, type SingleBar } from 'cli-progress';

/** Lines at the bottom of a terminal that are drawn again and again. */
export class Screen {
  readonly #stream: NodeJS.WritableStream;
  #multi: MultiBar | undefined;
  #lines: SingleBar[] = [];

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  /** What is to be seen from now on. */
  draw(lines: readonly string[]): void {
    if (lines.length < this.#lines.length) this.clear();
    this.#multi ??= new MultiBar({
      format: (_options, _params, payload: { readonly line: string }) => payload.line,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: true,
      forceRedraw: true,
      stream: this.#stream,
    });
    for (const [i, line] of lines.entries()) {
      const drawn = this.#lines[i];
      if (drawn === undefined) this.#lines[i] = this.#multi.create(1, 0, { line });
      else drawn.update(0, { line });
    }
  }

  /** Takes the lines away, so that something else can be printed. Idempotent. */
  clear(): void {
    this.#multi?.stop();
    this.#multi = undefined;
    this.#lines = [];
  }
}

const WIDTH = 20;

/** `[=====     ]` for a part of 1. */
export function barText(part: number): string {
  const full = Math.round(Math.min(1, Math.max(0, part)) * WIDTH);
  return `[${'='.repeat(full)}${' '.repeat(WIDTH - full)}]`;
}
