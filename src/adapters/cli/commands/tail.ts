import { cursorText } from "../../../domain/cursor.ts";
import { NDJSON_TYPE, escapeForTerminal } from "../command/answer-form.ts";
import { askApi, askForSuccess, bodyOf, failureOf, linesOf } from "../api/ask-api.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, isGiven, queryOf, tell } from "../command/command-run.ts";
import { countedText } from "../output/quantities.ts";
import { missedFromLine, spanFromLine } from "../render/shown-span.ts";
import { livePrinter } from "../render/span-table.ts";

const PAUSE_MS = 250;
/** Together five seconds: a restart takes less. */
const MAX_TRIES = 20;

const GONE = 410;
const STOPPING_OR_BUSY = 503;

/** One tail, over as many connections as it takes. */
interface Following {
  readonly run: CommandRun;
  readonly signal: AbortSignal;
  readonly print: (line: string) => boolean;
  /** The position to go on from: the last span shown, or where the tail began. */
  runId: string | null;
  sequence: number;
  /** Attempts to reconnect that are left until something is shown. */
  triesLeft: number;
  /** False after a break, when spans that did not match may be counted as missed a second time. */
  isMissedExact: boolean;
}

/** Follows until Ctrl-C, until nobody reads any more, or until spanring is gone for good. */
export async function tail(run: CommandRun): Promise<ExitCode> {
  const signal = run.interruption();
  try {
    const first = await askForSuccess(run, indexedFilter(queryOf(run), signal));
    const following = begin(run, signal, first);
    for await (const response of connections(following, first)) {
      if (!(await showLines(following, response))) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return EXIT_CODE.ok;
}

function indexedFilter(
  query: readonly (readonly [name: string, value: string])[],
  signal: AbortSignal,
) {
  return { path: "/api/tail", query, accept: NDJSON_TYPE, signal };
}

function begin(run: CommandRun, signal: AbortSignal, { headers }: Response): Following {
  return {
    run,
    signal,
    print: linePrinter(run),
    runId: headers.get("spanring-run-id"),
    sequence: Number(headers.get("spanring-first-sequence") ?? 1) - 1,
    triesLeft: MAX_TRIES,
    isMissedExact: true,
  };
}

/** Yields the first connection, and another each time that the one before has ended. */
async function* connections(following: Following, first: Response): AsyncGenerator<Response> {
  yield first;
  while (!following.signal.aborted) {
    tell(following.run, "the connection to spanring ended; reconnecting");
    following.isMissedExact = false;
    // oxlint-disable-next-line no-await-in-loop -- one connection after the other is the point
    yield await reconnect(following);
  }
}

/** Shows what one connection brings, until it ends. Returns false when the reader has left. */
async function showLines(following: Following, response: Response): Promise<boolean> {
  try {
    for await (const line of linesOf(bodyOf(response))) {
      if (line !== "" && !showLine(following, line)) return false;
    }
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.exitCode !== EXIT_CODE.cannotConnect)
      throw error;
  }
  return true;
}

/** Returns false when the reader has left. */
function showLine(following: Following, line: string): boolean {
  const { run, print, isMissedExact } = following;
  following.triesLeft = MAX_TRIES;
  const missed = missedFromLine(line);
  if (missed !== undefined) {
    tell(run, `missed ${isMissedExact ? "" : "up to "}${countedText(missed, "span")}`);
    return true;
  }
  following.sequence = Number(/^\{"sequence":(\d+)/.exec(line)?.[1] ?? following.sequence);
  return print(line);
}

/** Throws a failure when spanring does not come back, or refuses. */
async function reconnect(following: Following): Promise<Response> {
  const { run, signal } = following;
  let obstacle = "it breaks off every connection";
  while (following.triesLeft > 0 && !signal.aborted) {
    following.triesLeft -= 1;
    // oxlint-disable-next-line no-await-in-loop -- one attempt after the other is the point
    await run.clock.sleep(PAUSE_MS, signal);
    // oxlint-disable-next-line no-await-in-loop -- and each after its pause
    const answer = await askAgain(following);
    if (answer instanceof Response) return answer;
    obstacle = answer;
  }
  const seconds = (MAX_TRIES * PAUSE_MS) / 1000;
  throw new CommandFailure(EXIT_CODE.cannotConnect, `gave up after ${seconds} s: ${obstacle}`);
}

/** Returns the spans after the position, or why there are none yet. Throws when there never are. */
async function askAgain(following: Following): Promise<Response | string> {
  const { run, signal, runId, sequence } = following;
  const after = runId === null ? String(sequence) : cursorText(runId, sequence);
  const query = [...queryOf(run).filter(([name]) => name !== "after"), ["after", after]] as const;
  const response = await askApi(run, indexedFilter(query, signal)).catch((error: unknown) => {
    if (error instanceof CommandFailure) return error.message;
    throw error;
  });
  if (typeof response === "string" || response.ok) return response;
  if (response.status === GONE) return followNewRun(following, response);
  const failure = await failureOf(response);
  if (response.status === STOPPING_OR_BUSY) return failure.message;
  throw failure;
}

/** Goes on at the beginning of the run that answers now: none of its spans has been shown. */
function followNewRun(following: Following, { headers }: Response): string {
  following.runId = headers.get("spanring-run-id");
  following.sequence = 0;
  following.isMissedExact = true;
  const message = "spanring was restarted; these are the spans of the new run";
  tell(following.run, message);
  return message;
}

function linePrinter(run: CommandRun): (line: string) => boolean {
  const { stdout } = run;
  if (!stdout.isTerminal) return (line) => stdout.write(`${line}\n`);
  if (isGiven(run, "json")) return (line) => stdout.write(`${escapeForTerminal(line)}\n`);
  const print = livePrinter(run, stdout, []);
  return (line) => {
    const span = spanFromLine(line);
    return span === undefined || print(span);
  };
}
