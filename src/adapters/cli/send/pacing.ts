import { usageFailure } from "../answer-form.ts";
import { type CommandRun, valueOf } from "../command-run.ts";
import type { FileRequest } from "../files/file-request.ts";

/**
 * When a request is due, in milliseconds after the first; what is in the past is due at once.
 * Asked once for each request, in their order.
 */
export type Pacing = (request: FileRequest) => number;

/** As `--rate` and `--pace` say; with neither, everything is due at once. */
export function pacingOf(run: CommandRun): Pacing {
  const [rate, pace] = [valueOf(run, "rate"), valueOf(run, "pace")];
  if (rate !== undefined && pace !== undefined) {
    throw usageFailure("--rate and --pace exclude one another");
  }
  if (rate !== undefined) return atRate(numberIn("--rate", rate, /^(\d+(\.\d+)?)$/));
  return pace === undefined ? () => 0 : atPace(numberIn("--pace", pace, /^(\d+(\.\d+)?)x$/));
}

function numberIn(option: string, text: string, pattern: RegExp): number {
  const value = Number(pattern.exec(text)?.[1]);
  if (value > 0 && Number.isFinite(value)) return value;
  const example = option === "--rate" ? "a number of spans a second" : "a factor, such as 10x";
  throw usageFailure(`${option} must be ${example}, and more than 0`);
}

/** A request is due when the spans before it have had their time. */
function atRate(spansPerSecond: number): Pacing {
  let spansBefore = 0;
  return ({ spanCount }) => {
    const dueMs = (spansBefore / spansPerSecond) * 1000;
    spansBefore += spanCount;
    return dueMs;
  };
}

/** A request is due when its earliest span began, counted from the first request's. */
function atPace(factor: number): Pacing {
  let firstMs: number | undefined;
  return (request) => {
    const startMs = request.earliestStartMs();
    firstMs ??= startMs;
    return startMs === undefined || firstMs === undefined ? 0 : (startMs - firstMs) / factor;
  };
}
