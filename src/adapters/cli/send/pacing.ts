import { usageFailure } from "../command/answer-form.ts";
import { type CommandRun, valueOf } from "../command/command-run.ts";
import type { FileRequest } from "../../otlp-files/file-request.ts";

export interface Pacing {
  /** A request with more spans is sent in slices. */
  readonly maxSpans: number;
  /**
   * When a request is due, in milliseconds after the first; what is in the past is due at once.
   * Asked once for each request, in their order.
   */
  readonly dueMs: (request: FileRequest) => number;
}

const AT_ONCE: Pacing = { maxSpans: Infinity, dueMs: () => 0 };

/** As `--rate` and `--pace` say; with neither, everything is due at once. */
export function pacingOf(run: CommandRun): Pacing {
  const [rate, pace] = [valueOf(run, "rate"), valueOf(run, "pace")];
  if (rate !== undefined && pace !== undefined) {
    throw usageFailure("--rate and --pace exclude one another");
  }
  if (rate !== undefined) return atRate(numberIn("--rate", rate, /^(\d+(\.\d+)?)$/));
  return pace === undefined ? AT_ONCE : atPace(numberIn("--pace", pace, /^(\d+(\.\d+)?)x$/));
}

function numberIn(option: string, text: string, pattern: RegExp): number {
  const value = Number(pattern.exec(text)?.[1]);
  if (value > 0 && Number.isFinite(value)) return value;
  const example = option === "--rate" ? "a number of spans a second" : "a factor, such as 10x";
  throw usageFailure(`${option} must be ${example}, and more than 0`);
}

/** Even enough for a receiver, and few enough requests. */
const SLICES_A_SECOND = 10;

/**
 * A request is due when the spans before it have had their time. Behind the last nothing waits: its
 * own time is no more than a slice has.
 */
function atRate(spansPerSecond: number): Pacing {
  const maxSpans = Math.max(1, Math.floor(spansPerSecond / SLICES_A_SECOND));
  let spansBefore = 0;
  const dueMs = ({ spanCount }: FileRequest) => {
    const due = (spansBefore / spansPerSecond) * 1000;
    spansBefore += spanCount;
    return due;
  };
  return { maxSpans, dueMs };
}

/**
 * A request is due when its earliest span began, counted from the first request's. It is not cut:
 * its spans left their application together, when they had ended, and not when each began.
 */
function atPace(factor: number): Pacing {
  let firstMs: number | undefined;
  const dueMs = (request: FileRequest) => {
    const startMs = request.earliestStartMs();
    firstMs ??= startMs;
    return startMs === undefined || firstMs === undefined ? 0 : (startMs - firstMs) / factor;
  };
  return { maxSpans: Infinity, dueMs };
}
