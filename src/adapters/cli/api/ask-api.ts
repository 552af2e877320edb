import { isSocketAddress } from "../../../domain/text/host-address.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { isMessage, type Message, type Received } from "../../api-messages/message.ts";
import { problem as problemMessage } from "../../api-messages/messages.ts";
import type { SleepingClock } from "../../../ports/clock.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, valueOf } from "../command/command-run.ts";
import {
  connectionFault,
  OTHER_PORTS,
  routeTo,
  unanswered,
  unreachable,
} from "./connection-fault.ts";
import { accessOf, SET_A_TOKEN } from "./access.ts";
import { inOptions } from "./option-words.ts";

const DEFAULT_URL = "http://127.0.0.1:4319";

export interface ApiCall {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: readonly (readonly [name: string, value: string])[];
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** How long the server may wait before it responds, in addition to the usual time. */
  readonly waitMs?: number;
  /** Set if the call removes the returned spans, which would be lost with the response. */
  readonly removesSpans?: true;
}

/** The longest time until a response begins. Searches take a few seconds at most. */
const ANSWER_LIMIT_MS = 10_000;

/** Returns the URL of the read API, without a slash: `--url`, `SPANRING_URL`, or the default. */
export function apiUrl(run: CommandRun): string {
  const option = valueOf(run, "url");
  const name = option === undefined ? "SPANRING_URL" : "--url";
  return checkedUrl(option ?? (run.env["SPANRING_URL"] || DEFAULT_URL), name);
}

/** Throws a failure with the option and an example, unless it is an HTTP URL or a Unix socket. */
export function checkedUrl(text: string, option: string, example = DEFAULT_URL): string {
  if (isSocketAddress(text)) return text;
  const protocol = URL.parse(text)?.protocol;
  if (protocol === "http:" || protocol === "https:") return text.replace(/\/+$/, "");
  const mend = `it must be a URL, such as ${example}, or unix:/PATH`;
  throw new CommandFailure(EXIT_CODE.badUsage, `${option} is "${quotePeerText(text)}"; ${mend}`);
}

/**
 * Returns the response, whatever its status. Throws a failure if none begins in time. A stalled
 * server may still carry out an abandoned call, so a call that removes spans has no time limit once
 * the server has responded at all.
 */
export async function askApi(run: CommandRun, call: ApiCall): Promise<Response> {
  if (call.removesSpans !== true) return await fetchAnswer(run, call);
  const alive = await fetchAnswer(run, { path: "/healthz" });
  await alive.body?.cancel();
  return await fetchAnswer(run, { ...call, waitMs: Number.POSITIVE_INFINITY });
}

async function fetchAnswer(run: CommandRun, call: ApiCall): Promise<Response> {
  const { method = "GET", path, query = [], accept = "application/json" } = call;
  const base = apiUrl(run);
  const access = accessOf(run);
  const search =
    query.length === 0 ? "" : `?${new URLSearchParams(query.map(([...pair]) => pair))}`;
  const limitMs = ANSWER_LIMIT_MS + (call.waitMs ?? 0);
  using limit = answerLimit(run.clock, limitMs);
  const signal = AbortSignal.any([limit.signal, ...(call.signal ? [call.signal] : [])]);
  try {
    // Bun's own limit is five minutes, and a wait may take longer.
    const headers = { Accept: accept, ...access.headers };
    const init = { ...access, method, headers, timeout: false, signal };
    const { url, options } = routeTo(base, path + search);
    return await fetch(url, { ...init, ...options });
  } catch (error) {
    const message = limit.signal.aborted
      ? unanswered(base, limitMs)
      : unreachable(base, run.env, error);
    throw new CommandFailure(EXIT_CODE.cannotConnect, message);
  }
}

interface AnswerLimit extends Disposable {
  readonly signal: AbortSignal;
}

/** Returns a signal that aborts when the time is up, unless it is disposed of before. */
export function answerLimit(clock: SleepingClock, limitMs: number): AnswerLimit {
  const [late, answered] = [new AbortController(), new AbortController()];
  const watch = async () => {
    await clock.sleep(limitMs, answered.signal);
    if (!answered.signal.aborted) late.abort();
  };
  void watch();
  return { signal: late.signal, [Symbol.dispose]: () => answered.abort() };
}

/** Returns a successful response. Otherwise throws a failure with the server's message. */
export async function askForSuccess(
  run: CommandRun,
  call: ApiCall,
  asFailure: (response: Response) => Promise<CommandFailure> = (response) => failureOf(response),
): Promise<Response> {
  const response = await askApi(run, call);
  if (response.ok && !isPage(response)) return response;
  throw await asFailure(response);
}

/** Reports whether a response is a web page, which another server may return for any path. */
function isPage({ headers }: Response): boolean {
  return (headers.get("content-type") ?? "").startsWith("text/html");
}

/** Returns the body, which is such a message. Throws a failure if it is anything else. */
export async function messageIn<Described extends Message>(
  response: Response,
  described: Described,
): Promise<Received<Described>> {
  const chunks = await Array.fromAsync(bodyOf(response));
  const body = parsed(Buffer.concat(chunks).toString());
  if (isMessage(described(), body)) return body as Received<Described>;
  const what = `the body from ${quotePeerText(response.url)}`;
  throw new CommandFailure(
    EXIT_CODE.cannotConnect,
    `${what} is not a response of spanring's read API\n${OTHER_PORTS}`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reports whether the body is a problem. Source: RFC 9457. */
export function hasProblem({ headers }: Response): boolean {
  return (headers.get("content-type") ?? "").startsWith("application/problem+json");
}

/** Returns the failure for a response. Only the caller knows what a 404 refers to. */
export async function failureOf(
  response: Response,
  exitCodeOf404: ExitCode = EXIT_CODE.cannotConnect,
): Promise<CommandFailure> {
  const { status } = response;
  if (status === UNAUTHENTICATED) return await unauthenticated(response);
  if (!hasProblem(response)) return await notTheApi(response);
  const problem = await messageIn(response, problemMessage);
  if (status === 404 && problem.parameter === undefined) return noSuchPath(response);
  const others = status === 404 ? exitCodeOf404 : EXIT_CODE.cannotConnect;
  // A cursor that is gone is a mistake in the request: the spans may well be buffered.
  const exitCode = [400, 410].includes(status) ? EXIT_CODE.badUsage : others;
  return new CommandFailure(exitCode, quotePeerText(inOptions(problem)));
}

const UNAUTHENTICATED = 401;

/** Returns the failure for a missing or wrong token, which a proxy may require too. */
async function unauthenticated(response: Response): Promise<CommandFailure> {
  const url = quotePeerText(response.url);
  const { detail } = hasProblem(response)
    ? await messageIn(response, problemMessage)
    : { detail: quotePeerText(response.statusText) };
  const message = `${url} answered 401: ${quotePeerText(detail)}\n${SET_A_TOKEN}`;
  return new CommandFailure(EXIT_CODE.cannotConnect, message);
}

/** Returns the failure for a path that the API does not have, unlike one without a result. */
function noSuchPath({ url }: Response): CommandFailure {
  const message =
    `${quotePeerText(url)} answered 404 Not Found: the read API has no such path\n` +
    "Set --url or SPANRING_URL to the part before /api.";
  return new CommandFailure(EXIT_CODE.cannotConnect, message);
}

async function notTheApi(response: Response): Promise<CommandFailure> {
  const { status, statusText, url } = response;
  const code = `${status} ${quotePeerText(statusText)}`.trimEnd();
  const answer = isPage(response) ? "with a web page" : code;
  const otlpPort = status === MISDIRECTED ? "OTLP/gRPC" : "OTLP/HTTP";
  const what = (await isOtlpStatus(response))
    ? `it is the port for ${otlpPort}`
    : "it is not the read API of this version of spanring";
  const message = `${quotePeerText(url)} answered ${answer}: ${what}\n${OTHER_PORTS}`;
  return new CommandFailure(EXIT_CODE.cannotConnect, message);
}

/** The status with which the OTLP/gRPC port responds to HTTP/1.1. */
const MISDIRECTED = 421;

/** Reports whether the body is a `google.rpc.Status`, as OTLP listeners send for unknown paths. */
async function isOtlpStatus(response: Response): Promise<boolean> {
  const body = (await response.json().catch(() => undefined)) as { code?: unknown } | undefined;
  return !response.ok && typeof body?.code === "number";
}

/** Yields the body, chunk by chunk. Throws a failure if the connection breaks. */
export async function* bodyOf({ body, url }: Response): AsyncGenerator<Uint8Array> {
  try {
    if (body !== null) yield* body;
  } catch (error) {
    throw new CommandFailure(
      EXIT_CODE.cannotConnect,
      `the response from ${quotePeerText(url)} was cut off: ${connectionFault(error)}`,
    );
  }
}

/** Yields lines of UTF-8, without their ends. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const lines of lineBatchesOf(chunks)) yield* lines;
}

/** Yields the same lines, together those that arrive together. */
export async function* lineBatchesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield lines;
  }
  if (rest !== "") yield [rest];
}
