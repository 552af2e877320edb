import { type CommandRun, paletteOf } from "../command/command-run.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import {
  type JsonObject,
  parseObject,
  type ShownSpan,
  spanFromLine,
} from "../render/shown-span.ts";
import { rowPrinter } from "../render/span-table.ts";
import { spanView } from "../render/span-view.ts";
import { type TraceContent, traceView } from "../render/trace-view.ts";
import type { ShowSpans } from "./span-answer.ts";

/** Shows spans as the rows of a table, as they arrive. */
export const showRows: ShowSpans = async (run, lines) => {
  const printer = rowPrinter(run, run.stdout);
  let spans = 0;
  for await (const line of lines) {
    spans += 1;
    if (!printer.add(spanIn(line))) return { spans, hasReader: false };
  }
  printer.end();
  return { spans, hasReader: true };
};

/** Returns a function that shows spans as trees, once all have arrived. */
export function showTrees(content: TraceContent): ShowSpans {
  return async (run, lines) => {
    const { stdout } = run;
    const spans = (await Array.fromAsync(lines)).map(spanIn);
    const view = traceView(spans, stdout.columns, paletteOf(run, stdout), content);
    return print(run, spans.length, view);
  };
}

/** Shows each span as a whole. */
export const showWhole: ShowSpans = async (run, lines) => {
  const { stdout } = run;
  const palette = paletteOf(run, stdout);
  const all = await Array.fromAsync(lines);
  const views = all.map((line) => spanView(objectIn(line), stdout.columns, palette).join("\n"));
  return print(run, all.length, [views.join("\n\n")]);
};

function print({ stdout }: CommandRun, spans: number, lines: readonly string[]) {
  const hasReader = spans === 0 || stdout.write(`${lines.join("\n")}\n`);
  return { spans, hasReader };
}

function spanIn(line: string): ShownSpan {
  return spanFromLine(line) ?? failOn();
}

function objectIn(line: string): JsonObject {
  return parseObject(line) ?? failOn();
}

function failOn(): never {
  throw new CommandFailure(
    EXIT_CODE.cannotConnect,
    "the response is not NDJSON with one span per line",
  );
}
