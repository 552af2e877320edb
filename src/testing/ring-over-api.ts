import { type Losses, lossTexts, isAnythingLost } from "../adapters/cli/run/check-expectations.ts";
import {
  ApiClient,
  ApiError,
  type ApiProblem,
  type ListedProblem,
  type Query,
} from "./api-client.ts";
import { isFragile } from "../domain/expectation/expectation.ts";
import { readExpectation } from "../domain/expectation/read-expectation.ts";
import { unmetLines } from "./unmet-text.ts";
import { plainSpan, tracesOf } from "./plain-span.ts";
import type { SpanConditions, TestSpan, TestSpanring, WaitOptions } from "./test-spanring.ts";

const TIMEOUT_MS = 4_000;
/** More than any ring holds. */
const EVERY_SPAN = "1000000000";

/** A server that was started for a test, in this process or in its own. */
export interface StartedServer {
  readonly endpoints: TestSpanring["endpoints"];
  /** Aborted by the first error of the server, with the reason. */
  readonly failed: AbortSignal;
  stop(): Promise<void>;
}

/** Builds the interface for tests on the read API of a server, wherever it runs. */
export function ringOverApi({ endpoints, failed, stop }: StartedServer): TestSpanring {
  const stopping = new AbortController();
  const api = new ApiClient(endpoints.api, AbortSignal.any([failed, stopping.signal]));
  const losses = new LossesSinceClear(api);
  const ring = { api, losses };
  const stopOnce = async () => {
    stopping.abort(new Error("spanring was stopped; read spans before"));
    await stop();
  };
  const spans = async (conditions: SpanConditions = {}) =>
    (await api.spans("/api/spans", [...queryOf(conditions), ["limit", EVERY_SPAN]])).map(plainSpan);
  return {
    endpoints,
    waitFor: (conditions, options = {}) => wait(ring, conditions, options),
    expect: (text, options = {}) => expectSpans(ring, text, options),
    waitForTrace: async (conditions, options = {}) => {
      const found = await wait(ring, conditions, { ...options, isTrace: true });
      return tracesOf(found)[0]!;
    },
    spans,
    traces: async (conditions) => tracesOf(await spans(conditions)),
    expectNone: async (conditions) => expectNone(await spans(conditions), await losses.read()),
    clear: () => losses.clear(),
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  };
}

/** Keeps the order of the conditions, because a failed wait tries again without the last one. */
function queryOf(conditions: SpanConditions): Query {
  return Object.entries(conditions).flatMap(([name, texts]: [string, unknown]) =>
    [texts].flat().map((text) => [name, checkedText(name, text)] as const),
  );
}

/**
 * Checks the type too, for callers in JavaScript. An undefined condition is an error: if it were
 * ignored, a test that has lost its value would match any span.
 */
function checkedText(name: string, text: unknown): string {
  if (typeof text === "string") return text;
  const found = text === undefined || text === null ? String(text) : `of type ${typeof text}`;
  throw new TypeError(`${name} is ${found}; it must be a string, or omitted`);
}

interface Ring {
  readonly api: ApiClient;
  readonly losses: LossesSinceClear;
}

async function wait(
  { api, losses }: Ring,
  conditions: SpanConditions,
  options: WaitOptions & { readonly isTrace?: true },
): Promise<TestSpan[]> {
  const { count = 1, timeoutMs = TIMEOUT_MS, isTrace } = options;
  const limits = { count: `${count}`, timeout: `${timeoutMs}ms` };
  const trace: Query = isTrace === undefined ? [] : [["trace_complete", "true"]];
  const query = [...queryOf(conditions), ...Object.entries(limits), ...trace];
  try {
    return (await api.spans("/api/wait", query)).map(plainSpan);
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== TIME_UP) throw error;
    const missing = lossTexts(await losses.read());
    const text = [timeUpText(error.problem, timeoutMs), ...missing].join("\n");
    throw new Error(text, { cause: error });
  }
}

/** Checks an expectation. One that lost spans might break is not met if there are any. */
async function expectSpans(
  { api, losses }: Ring,
  text: string,
  { timeoutMs = TIMEOUT_MS }: Pick<WaitOptions, "timeoutMs">,
): Promise<TestSpan[]> {
  const query: Query = [
    ["expect", checkedText("the expectation", text)],
    ["timeout", `${timeoutMs}ms`],
  ];
  try {
    const found = (await api.spans("/api/wait", query)).map(plainSpan);
    await checkLosses(losses, text);
    return found;
  } catch (error) {
    if (!(error instanceof ApiError) || error.problem.status !== UNMET) throw error;
    const missing = lossTexts(await losses.read());
    const lines = [`expected ${text}`, ...unmetLines(error.problem), ...missing];
    throw new Error(lines.join("\n"), { cause: error });
  }
}

async function checkLosses(losses: LossesSinceClear, text: string): Promise<void> {
  const expectation = readExpectation(text, 0n);
  if ("mistakes" in expectation || !isFragile(expectation)) return;
  const lost = await losses.read();
  if (isAnythingLost(lost)) throw new Error([`expected ${text}`, ...lossTexts(lost)].join("\n"));
}

const TIME_UP = 408;
const UNMET = 417;

function timeUpText({ detail, nearest }: ApiProblem, timeoutMs: number): string {
  const came = detail.replace(/in time\b/, `within ${timeoutMs} ms`);
  if (nearest === undefined) return came;
  const { without, count, spans } = nearest;
  const scopes = (spans.resourceSpans ?? []).flatMap(({ scopeSpans }) => scopeSpans);
  const names = scopes.flatMap((scope) => scope.spans.map(({ name }) => JSON.stringify(name)));
  const some = names.length === 0 ? "" : `, such as ${names.join(", ")}`;
  return `${came}; without ${without}, ${count} match${some}`;
}

const SPANS_SHOWN = 5;

function expectNone(spans: readonly TestSpan[], losses: Losses): void {
  if (spans.length > 0) {
    const names = spans.slice(0, SPANS_SHOWN).map(({ name }) => JSON.stringify(name));
    const match = spans.length === 1 ? "1 span matches" : `${spans.length} spans match`;
    throw new Error(`${match}, but none was expected: ${names.join(", ")}`);
  }
  if (isAnythingLost(losses)) throw new Error(lossTexts(losses).join("\n"));
}

/** Reads what was refused or discarded since the start or the last `clear`. */
class LossesSinceClear {
  private readonly api: ApiClient;
  private before: readonly ListedProblem[] = [];
  private receivedBefore = 0;

  constructor(api: ApiClient) {
    this.api = api;
  }

  async clear(): Promise<void> {
    await this.api.clear();
    this.before = await this.api.problems();
    this.receivedBefore = await this.api.received();
  }

  async read(): Promise<Losses> {
    const problems = newProblems(await this.api.problems(), this.before);
    const hasSpans = (await this.api.received()) > this.receivedBefore;
    return { problems, hasSpans };
  }
}

function newProblems(
  now: readonly ListedProblem[],
  before: readonly ListedProblem[],
): Losses["problems"] {
  const newest = new Map(now.map((each) => [`${each.protocol} ${each.reason}`, each]));
  return [...newest.values()]
    .map((each) => Object.assign({}, each, { count: countIn(now, each) - countIn(before, each) }))
    .filter(({ count }) => count > 0) as unknown as Losses["problems"];
}

function countIn(problems: readonly ListedProblem[], { reason, protocol }: ListedProblem): number {
  return problems
    .filter((each) => each.reason === reason && each.protocol === protocol)
    .reduce((sum, { count }) => sum + count, 0);
}
