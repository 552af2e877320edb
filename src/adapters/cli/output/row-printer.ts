import { type CommandRun, paletteOf } from "../command/command-run.ts";
import { serviceColours } from "../render/palette.ts";
import type { ShownSpan } from "../render/shown-span.ts";
import { headerRow, rowLayout, spanRow } from "../render/span-rows.ts";
import type { TextStream } from "./text-stream.ts";

/** Prints spans as rows of a table. */
export interface RowPrinter {
  /** False when the reader has left. */
  add(span: ShownSpan): boolean;
  /** Prints what has been held back for the widths of the columns. */
  end(): void;
}

/** So many spans decide how wide the columns are. */
const SAMPLE_SPANS = 1000;

/** Holds the first spans back, to make the columns as wide as they need. */
export function rowPrinter(run: CommandRun, stream: TextStream): RowPrinter {
  const sample: ShownSpan[] = [];
  let print: ((span: ShownSpan) => boolean) | undefined;
  const begin = (): boolean => {
    print = livePrinter(run, stream, sample);
    return sample.splice(0).every(print);
  };
  return {
    add: (span) => {
      if (print !== undefined) return print(span);
      sample.push(span);
      return sample.length < SAMPLE_SPANS || begin();
    },
    end: () => void (print === undefined && sample.length > 0 && begin()),
  };
}

/** Prints the header, and then each span at once, in columns that fit the sample. */
export function livePrinter(
  run: CommandRun,
  stream: TextStream,
  sample: readonly ShownSpan[],
): (span: ShownSpan) => boolean {
  const palette = paletteOf(run, stream);
  const layout = rowLayout(stream.columns, sample);
  const ink = { palette, colourOf: serviceColours(palette) };
  stream.write(`${headerRow(layout, palette)}\n`);
  return (span) => stream.write(`${spanRow(span, layout, ink)}\n`);
}
