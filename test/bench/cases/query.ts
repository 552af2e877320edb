import { openExportClient } from "../../support/running/export-client.ts";
import { type BenchCase, type BenchRun, CannotRunError } from "../bench-case.ts";
import type { Figure, Goal } from "../figure.ts";
import { numberedRequests, SPANS_A_TRACE, traceIdOf } from "../load/numbered-requests.ts";
import { startSpanring } from "../servers/subject.ts";

const SPAN_COUNT = 1_000_000;
const SPANS_A_REQUEST = 500;
const RING = { MAX_BUFFER_SIZE: String(SPAN_COUNT), MAX_BUFFER_BYTES: "768MiB" };

const GOAL: Goal = { of: "median", is: "<", bound: 20 };

interface Query {
  readonly name: string;
  /** Returns the path of the n-th request. */
  readonly path: (turn: number) => string;
  readonly spanCount: number;
  readonly goal?: Goal;
}

/** The filters match nothing, so they examine every span. */
const QUERIES: readonly Query[] = [
  {
    name: "a trace, by its identifier",
    path: (turn) => `/api/traces/${traceIdOf((turn * 7919) % (SPAN_COUNT / SPANS_A_TRACE))}`,
    spanCount: SPANS_A_TRACE,
    goal: GOAL,
  },
  { name: "a name that none has", path: () => "/api/spans?name=none", spanCount: 0 },
  {
    name: "an attribute that none has",
    path: () => "/api/spans?attribute=http.response.status_code%3D500",
    spanCount: 0,
  },
];

const TURNS_A_ROUND = 20;
const WARM_UP_TURNS = 5;

/**
 * Measures the time from the request for spans to the last byte of the response, over a large full
 * ring.
 */
export const query: BenchCase = {
  name: "query",
  shows: "the duration of queries over a million buffered spans, from request to answer",
  run: async (run) => {
    await using spanring = await startSpanring(RING);
    run.progress(`query: filling the ring with ${SPAN_COUNT} spans`);
    await fill(spanring.port);
    const figures: Figure[] = [];
    for (const each of QUERIES) figures.push(await figureOf(spanring.apiUrl, each, run));
    return figures;
  },
};

async function fill(port: number): Promise<void> {
  using client = openExportClient(port);
  for (const request of numberedRequests(SPANS_A_REQUEST, SPAN_COUNT)) await client.export(request);
}

async function figureOf(
  apiUrl: string,
  { name, path, spanCount, goal }: Query,
  { rounds, isShort, progress }: BenchRun,
): Promise<Figure> {
  progress(`query: ${name}`);
  const turns = rounds * (isShort ? 1 : TURNS_A_ROUND);
  const samples: number[] = [];
  for (let turn = 0; turn < WARM_UP_TURNS + turns; turn += 1) {
    const beganMs = performance.now();
    const headers = { Accept: "application/x-ndjson" };
    const text = await (await fetch(`${apiUrl}${path(turn)}`, { headers })).text();
    const tookMs = performance.now() - beganMs;
    const found = text.split("\n").length - 1;
    if (found !== spanCount) throw new CannotRunError(`${name}: ${found} spans, not ${spanCount}`);
    if (turn >= WARM_UP_TURNS) samples.push(tookMs);
  }
  const figure: Figure = { name, unit: "ms", better: "lower", samples };
  return goal === undefined ? figure : { ...figure, goal };
}
