import { expect, setDefaultTimeout, test } from "bun:test";
import { openExportClient } from "../support/export-client.ts";
import { readApiClient } from "../support/read-api-client.ts";
import { requestOf } from "../support/request-bytes.ts";
import { startProgram } from "../support/running-program.ts";
import { startUpstream } from "../support/running-upstream.ts";
import { spanNumbers } from "../support/walked-spans.ts";
import { booksWhenEmpty } from "../support/watched-books.ts";

// Goal: a span leaves once. Method: two readers take while the forwarder sends on, so that each
// finds the other's marks in the midst of what it wants.

// Against a program that never answers; nothing here takes a tenth of it.
setDefaultTimeout(30_000);

const REQUESTS = 300;
const SPANS_OF_REQUEST = 20;
const SPANS = REQUESTS * SPANS_OF_REQUEST;

test.each(["grpc", "http"] as const)(
  "over %s no span reaches both a taker and the upstream, and each reaches one",
  async (protocol) => {
    await using upstream = await startUpstream(protocol);
    await using program = await startProgram({
      FORWARD_ENDPOINT: upstream.endpoint,
      // Of odd sizes, so that blocks are cut by both.
      FORWARD_BATCH_SPANS: "13",
      FORWARD_MAX_DELAY_MS: "1",
    });
    const api = readApiClient(program.apiUrl);
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

    await Promise.all([send(), take(3), take(17)]);
    const { spans } = await booksWhenEmpty(api);
    const kept = await upstream.kept();

    const both = [...taken, ...kept].toSorted((one, other) => one - other);
    expect(both).toEqual(Array.from({ length: SPANS }, (_, at) => at + 1));
    expect(spans).toMatchObject({ taken: taken.length, delivered: kept.length, evicted: 0 });
    expect(taken.length).toBeGreaterThan(SPANS_OF_REQUEST);
    expect(kept.length).toBeGreaterThan(SPANS_OF_REQUEST);
  },
);
