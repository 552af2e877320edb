import { type ExportClient, openExportClient } from "../../support/running/export-client.ts";
import { request, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { type BenchCase, type BenchRun, CannotRunError } from "../bench-case.ts";
import { type Figure, type Goal, percentile } from "../figure.ts";
import { requireH2load } from "../load/h2load.ts";
import { requestFile } from "../load/request-file.ts";
import { rates, takeTurns } from "../load/turns.ts";
import { type Crowd, openCrowd } from "../load/waiting-crowd.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { exportOnce, type Spanring, startSpanring } from "../servers/subject.ts";

const BY_NAME: Crowd = {
  name: "1,000 waiters by name",
  size: 1_000,
  filter: (number) => `name=never+${number}`,
};

/**
 * The clients that may wait in a busy test run. The last crowd has the maximum number of different
 * filters.
 */
const CROWDS: readonly Crowd[] = [
  BY_NAME,
  {
    name: "1,000 by trace",
    size: 1_000,
    filter: (number) => `trace_id=${number.toString(16).padStart(32, "f")}`,
  },
  {
    name: "1,000 by attribute",
    size: 1_000,
    filter: (number) => `attribute=test.id%3Dnever+${number}`,
  },
  { name: "1,000 by one service's errors", size: 1_000, filter: () => "service=shop&status=error" },
  {
    name: "60 by durations in one service",
    size: 60,
    isDear: true,
    filter: (number) => `service=shop&min_duration=${number + 1}h`,
  },
];
const SPANS_A_REQUEST = 512;

const WAKE_GOAL: Goal = { of: "max", is: "<", bound: 5 };
const INGEST_GOAL: Goal = { of: "ratio", is: ">=", bound: 0.95 };

const WAKES_A_ROUND = 200;
const WARM_UP_WAKES = 20;

/**
 * Measures how soon a waiting client gets its spans, and how much many waiting clients slow down
 * senders.
 */
export const wait: BenchCase = {
  name: "wait",
  shows: "the delay from an export to the answer of a wait, and the cost of 1,000 waits for ingest",
  run: async (run) => {
    requireH2load();
    await using spanring = await startSpanring();
    return [
      ...(await wakeFigures(spanring, "alone", run)),
      ...(await crowdedWakeFigures(spanring, run)),
      ...(await ingestFigures(spanring, run)),
    ];
  },
};

async function crowdedWakeFigures(spanring: Spanring, run: BenchRun): Promise<Figure[]> {
  await using _ = await openCrowd(spanring.apiUrl, BY_NAME);
  return await wakeFigures(spanring, "beside 1,000", run);
}

async function wakeFigures(
  { apiUrl, port }: Spanring,
  circumstance: string,
  { rounds, isShort, progress }: BenchRun,
): Promise<Figure[]> {
  progress(`wait: wake-up, ${circumstance}`);
  using client = openExportClient(port);
  let number = 0;
  const wakes = async (count: number): Promise<number[]> => {
    const latencies: number[] = [];
    while (latencies.length < count) latencies.push(await wakeMs(apiUrl, client, (number += 1)));
    return latencies.toSorted((one, other) => one - other);
  };
  await wakes(WARM_UP_WAKES);
  const sorted: number[][] = [];
  while (sorted.length < rounds) sorted.push(await wakes(isShort ? 50 : WAKES_A_ROUND));
  const figure = (name: string, share: number): Figure => ({
    name: `wake-up ${name}, ${circumstance}`,
    unit: "ms",
    better: "lower",
    samples: sorted.map((latencies) => percentile(latencies, share)),
  });
  return [figure("p50", 0.5), { ...figure("p99", 0.99), goal: WAKE_GOAL }];
}

/**
 * Returns the time from the response to the export to the response to the waiter, which may come
 * first.
 */
async function wakeMs(apiUrl: string, client: ExportClient, number: number): Promise<number> {
  const answered = fetch(`${apiUrl}/api/wait?name=span+${number}&timeout=10s`).then(
    async (response) => {
      await response.bytes();
      if (response.status !== 200) throw new CannotRunError(`a wait is ${response.status}`);
      return performance.now();
    },
  );
  // The wait has begun when this is answered, because requests are read in order.
  await (await fetch(`${apiUrl}/healthz`)).bytes();
  await client.export(request(resourceSpans("shop", span(number))));
  const exportedMs = performance.now();
  return Math.max(0, (await answered) - exportedMs);
}

/** Uses one process, so that only the waiting clients differ. */
async function ingestFigures(subject: Spanring, run: BenchRun): Promise<Figure[]> {
  const { bytes } = serverRequestShape(SPANS_A_REQUEST);
  const { port, apiUrl } = subject;
  await exportOnce(port, bytes);
  const alone = { subject, port, bodyFile: requestFile(bytes), spanCount: SPANS_A_REQUEST };
  const crowded = CROWDS.map((crowd) => ({ ...alone, beside: () => openCrowd(apiUrl, crowd) }));
  const [without, ...withCrowds] = await takeTurns([alone, ...crowded], "wait: ingest", run);
  return CROWDS.map(({ name, isDear }, at) => ({
    name: `ingest at ${SPANS_A_REQUEST}, beside ${name}`,
    unit: "spans/s",
    better: "higher",
    samples: rates(withCrowds[at]!),
    reference: { name: "nobody waits", samples: rates(without!) },
    ...(isDear ? {} : { goal: INGEST_GOAL }),
  }));
}
