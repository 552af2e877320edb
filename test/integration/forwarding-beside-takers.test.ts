import { expect, test } from "bun:test";
import { openExportClient } from "../support/running/export-client.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";
import { startUpstream } from "../support/upstreams/running-upstream.ts";
import type { OrderedAnswer } from "../support/upstreams/upstream-process.ts";
import { spanNumbers } from "../support/oracles/walked-spans.ts";
import { ledgerWhenEmpty } from "../support/oracles/watched-ledger.ts";

// Goal: a span leaves once. Method: two readers take spans while the forwarder sends others. The
// upstream refuses every third batch as retryable, so that returned spans precede spans in flight.

const REQUESTS = 300;
const SPANS_OF_REQUEST = 20;
const SPANS = REQUESTS * SPANS_OF_REQUEST;

test.each([
  { protocol: "grpc", unavailable: 14 },
  { protocol: "http", unavailable: 503 },
] as const)(
  "over $protocol each span reaches either a taker or the upstream",
  async ({ protocol, unavailable }) => {
    await using upstream = await startUpstream(protocol);
    await using program = await startProgram({
      FORWARD_ENDPOINT: upstream.endpoint,
      // An odd size, so that batches and takes both divide blocks.
      FORWARD_BATCH_SPANS: "13",
      FORWARD_MAX_DELAY_MS: "1",
      FORWARD_RETRY_INITIAL_MS: "1",
      FORWARD_RETRY_MAX_MS: "1",
    });
    const api = readApiClient(program.apiUrl);
    const answerAt = (_: unknown, index: number): OrderedAnswer =>
      index % 3 === 2 ? { kind: "fail", code: unavailable } : { kind: "accept" };
    const state = { isOver: false };
    const taken: number[] = [];
    const take = async (spanCount: number): Promise<void> => {
      while (!state.isOver) taken.push(...spanNumbers(await api.takeAsBytes(spanCount)));
    };
    const send = async (): Promise<void> => {
      using client = openExportClient(program.grpcPort);
      for (let index = 0; index < REQUESTS; index += 1) {
        await client.export(requestOf(SPANS_OF_REQUEST, index * SPANS_OF_REQUEST + 1));
      }
      state.isOver = true;
    };

    await upstream.order({ next: Array.from({ length: SPANS }, answerAt) });
    await Promise.all([send(), take(3), take(17)]);
    const { spans } = await ledgerWhenEmpty(api);
    const accepted = await upstream.acceptedSpans();

    const both = [...taken, ...accepted].toSorted((one, other) => one - other);
    expect(both).toEqual(Array.from({ length: SPANS }, (_, at) => at + 1));
    expect(spans).toMatchObject({ taken: taken.length, delivered: accepted.length, evicted: 0 });
    expect(taken.length).toBeGreaterThan(SPANS_OF_REQUEST);
    expect(accepted.length).toBeGreaterThan(SPANS_OF_REQUEST);
  },
);
