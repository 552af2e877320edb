import { usageFailure } from "../command/answer-form.ts";
import { type CommandRun, valueOf } from "../command/command-run.ts";
import type { FileRequest } from "../../otlp-files/file-request.ts";

export interface Pacing {
  /** The maximum number of spans in a request; one with more is sent in slices. */
  readonly maxSpans: number;
  /**
   * Returns when a request is due, in milliseconds after the first; a time in the past means at
   * once. Must be called once for each request, in order.
   */
  readonly dueMs: (request: FileRequest) => number;
}

const AT_ONCE: Pacing = { maxSpans: Infinity, dueMs: () => 0 };

/** Reads `--rate` and `--pace`. With neither, all requests are due at once. */
export function pacingOf(run: CommandRun): Pacing {
  const [rate, pace] = [valueOf(run, "rate"), valueOf(run, "pace")];
  if (rate !== undefined && pace !== undefined) {
    throw usageFailure("--rate and --pace cannot be combined");
  }
  if (rate !== undefined) return atRate(numberIn("--rate", rate, /^(\d+(\.\d+)?)$/));
  return pace === undefined ? AT_ONCE : atPace(numberIn("--pace", pace, /^(\d+(\.\d+)?)x$/));
}

function numberIn(option: string, text: string, pattern: RegExp): number {
  const value = Number(pattern.exec(text)?.[1]);
  if (value > 0 && Number.isFinite(value)) return value;
  const example = option === "--rate" ? "a number of spans per second" : "a factor, such as 10x";
  throw usageFailure(`${option} must be ${example}, and more than 0`);
}

/** The number of slices, which load a receiver evenly but cost little. */
const SLICES_A_SECOND = 10;

/**
 * Spaces requests evenly: one is due when all spans before it have taken their time. The time of
 * the last request is not waited for; it is that of one slice at most.
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
 * Keeps the original timing: a request is due when its earliest span began, relative to the first
 * request. Requests are not split, because an application exports the spans of a batch together,
 * after they have ended, and not when each begins.
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
