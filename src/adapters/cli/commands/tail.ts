import { cursorText } from "../../../domain/cursor.ts";
import { NDJSON_TYPE, escapeForTerminal } from "../command/answer-form.ts";
import { askApi, askForSuccess, bodyOf, failureOf, lineBatchesOf } from "../api/ask-api.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, queryOf, report } from "../command/command-run.ts";
import { endInterruptedLine } from "../output/foreground.ts";
import { countedText } from "../output/quantities.ts";
import { type CollectedText, collectedText } from "../output/text-stream.ts";
import { missedFromLine, spanFromLine } from "../render/shown-span.ts";
import { livePrinter } from "../render/span-table.ts";

const PAUSE_MS = 250;
/** The attempts to reconnect take five seconds in all; a restart takes less. */
const MAX_TRIES = 20;

const GONE = 410;
const STOPPING_OR_BUSY = 503;

/** The state of one tail, over all its connections. */
interface TailState {
  readonly run: CommandRun;
  readonly signal: AbortSignal;
  readonly output: CollectedText;
  /** Adds a line to the output. */
  readonly print: (line: string) => void;
  /** The position to continue from: the last span shown, or the start of the tail. */
  runId: string | null;
  sequence: number;
  /** The remaining attempts to reconnect; each span shown resets them. */
  triesLeft: number;
  /** Whether missed spans are counted exactly. A reconnect may count spans that did not match. */
  isMissedExact: boolean;
}

/** Follows until Ctrl-C, until the reader closes the pipe, or until spanring does not come back. */
export async function tail(run: CommandRun): Promise<ExitCode> {
  const signal = run.interruption();
  try {
    const first = await askForSuccess(run, indexedFilter(queryOf(run), signal));
    const state = begin(run, signal, first);
    await state.output.flush(signal);
    for await (const response of connections(state, first)) {
      if (!(await showLines(state, response))) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  endInterruptedLine(run.stdout, run.interruptedCode());
  return EXIT_CODE.ok;
}

function indexedFilter(
  query: readonly (readonly [name: string, value: string])[],
  signal: AbortSignal,
) {
  return { path: "/api/tail", query, accept: NDJSON_TYPE, signal };
}

function begin(run: CommandRun, signal: AbortSignal, { headers }: Response): TailState {
  const output = collectedText(run.stdout);
  return {
    run,
    signal,
    output,
    print: linePrinter(run, output),
    runId: headers.get("spanring-run-id"),
    sequence: Number(headers.get("spanring-first-sequence") ?? 1) - 1,
    triesLeft: MAX_TRIES,
    isMissedExact: true,
  };
}

/** Yields the first connection, and a new one each time a connection ends. */
async function* connections(state: TailState, first: Response): AsyncGenerator<Response> {
  yield first;
  while (!state.signal.aborted) {
    report(state.run, "the connection to spanring ended; reconnecting");
    state.isMissedExact = false;
    // oxlint-disable-next-line no-await-in-loop -- one connection after the other is the point
    yield await reconnect(state);
  }
}

/**
 * Shows the lines of one connection. Returns false once the reader has closed the pipe, or once the
 * tail is interrupted, although the reader of a full pipe reads nothing.
 */
async function showLines(state: TailState, response: Response): Promise<boolean> {
  try {
    for await (const lines of lineBatchesOf(bodyOf(response))) {
      if (!(await showBatch(state, lines))) return false;
    }
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.exitCode !== EXIT_CODE.cannotConnect)
      throw error;
  }
  return true;
}

/**
 * Shows the lines that have arrived together. Missed spans are reported on another stream, but not
 * before the spans that came earlier. Returns false like `showLines`.
 */
async function showBatch(state: TailState, lines: readonly string[]): Promise<boolean> {
  const { output, signal } = state;
  for (const line of lines.filter((text) => text !== "")) {
    state.triesLeft = MAX_TRIES;
    const missed = missedFromLine(line);
    if (missed === undefined) showSpan(state, line);
    // oxlint-disable-next-line no-await-in-loop -- the report follows the spans before it
    else if (await output.flush(signal)) reportMissed(state, missed);
    else return false;
  }
  return await output.flush(signal);
}

function showSpan(state: TailState, line: string): void {
  state.sequence = Number(/^\{"sequence":(\d+)/.exec(line)?.[1] ?? state.sequence);
  state.print(line);
}

function reportMissed({ run, isMissedExact }: TailState, missed: number): void {
  report(run, `missed ${isMissedExact ? "" : "up to "}${countedText(missed, "span")}`);
}

/** Connects again. Throws a failure if spanring does not come back, or refuses. */
async function reconnect(state: TailState): Promise<Response> {
  const { run, signal } = state;
  let obstacle = "it closes every connection";
  while (state.triesLeft > 0 && !signal.aborted) {
    state.triesLeft -= 1;
    // oxlint-disable-next-line no-await-in-loop -- one attempt after the other is the point
    await run.clock.sleep(PAUSE_MS, signal);
    // oxlint-disable-next-line no-await-in-loop -- each attempt follows a pause
    const answer = await askAgain(state);
    if (answer instanceof Response) return answer;
    obstacle = answer;
  }
  const seconds = (MAX_TRIES * PAUSE_MS) / 1000;
  throw new CommandFailure(EXIT_CODE.cannotConnect, `gave up after ${seconds} s: ${obstacle}`);
}

/** Requests the spans after the position. Returns the reason if a later attempt may succeed. */
async function askAgain(state: TailState): Promise<Response | string> {
  const { run, signal, runId, sequence } = state;
  const after = runId === null ? String(sequence) : cursorText(runId, sequence);
  const query = [...queryOf(run).filter(([name]) => name !== "after"), ["after", after]] as const;
  const response = await askApi(run, indexedFilter(query, signal)).catch((error: unknown) => {
    if (error instanceof CommandFailure) return error.message;
    throw error;
  });
  if (typeof response === "string" || response.ok) return response;
  if (response.status === GONE) return followNewRun(state, response);
  const failure = await failureOf(response);
  if (response.status === STOPPING_OR_BUSY) return failure.message;
  throw failure;
}

/** Continues at the beginning of the new run, because none of its spans has been shown. */
function followNewRun(state: TailState, { headers }: Response): string {
  state.runId = headers.get("spanring-run-id");
  state.sequence = 0;
  state.isMissedExact = true;
  const message = "spanring was restarted; these are the spans of the new run";
  report(state.run, message);
  return message;
}

function linePrinter(run: CommandRun, output: CollectedText): (line: string) => void {
  if (!output.isTerminal) return (line) => output.write(`${line}\n`);
  if (isGiven(run, "json")) return (line) => output.write(`${escapeForTerminal(line)}\n`);
  const print = livePrinter(run, output, []);
  return (line) => {
    const span = spanFromLine(line);
    if (span !== undefined) print(span);
  };
}
