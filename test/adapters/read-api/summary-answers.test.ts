import { expect, spyOn, test } from "bun:test";
import { PROCESS_PACE } from "../../../src/adapters/memory/collection-pace.ts";
import { type ConnectedSpan, connectedRequests } from "../../support/requests/connected-spans.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import {
  rangeOf,
  RUN_ID,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

const SECOND = 1_000_000_000n;

const ROOT: ConnectedSpan = {
  service: "shop",
  name: "GET /",
  trace: 1,
  id: 1,
  parent: undefined,
  links: [],
  isError: false,
  startNano: 100n * SECOND,
  endNano: 104n * SECOND,
};

function runWith(...spans: Partial<ConnectedSpan>[]) {
  const run = runReadApi({ spanCount: 0 });
  connectedRequests(spans.map((each) => ({ ...ROOT, ...each }))).forEach(run.put);
  return run;
}

const UNTIMED = { startNano: 0n, endNano: 0n };

// Goal: summaries are collected although they outlive young collections. Method: the garbage that a
// response reports is compared with the number of its summaries.
test("a response with summaries reports them as old garbage", async () => {
  using noted = spyOn(PROCESS_PACE, "noteOldGarbage");
  const { request } = runWith({}, { trace: 2 }, { trace: 3 });

  const response = await request("/api/traces");
  await response.json();

  expect(noted.mock.calls).toEqual([[3 * 1024]]);
});

test("GET /api/operations summarises spans by service and name", async () => {
  const { request } = runWith({}, { isError: true }, { service: "till", name: "pay", ...UNTIMED });

  const response = await request("/api/operations");

  expect(rangeOf(response)).toEqual(["1", "4"]);
  const nano = Number(4n * SECOND);
  expect(await response.json()).toEqual({
    operations: [
      {
        service: "shop",
        name: "GET /",
        spans: 2,
        errors: 1,
        spansPerSecond: 0.5,
        p50Nano: nano,
        p95Nano: nano,
        p99Nano: nano,
        lastSeen: "1970-01-01T00:01:44.000Z",
      },
      {
        service: "till",
        name: "pay",
        spans: 1,
        errors: 0,
        spansPerSecond: 0.25,
        p50Nano: null,
        p95Nano: null,
        p99Nano: null,
        lastSeen: null,
      },
    ],
    otherSpans: 0,
    periodSeconds: 4,
    sequence: { run_id: RUN_ID, first: 1, next: 4 },
  });
});

test("the rate of operations without times is unknown", async () => {
  const { request } = runWith(UNTIMED);

  const body = await (await request("/api/operations")).json();

  expect(body).toMatchObject({ operations: [{ spansPerSecond: null }], periodSeconds: 0 });
});

test("GET /api/operations counts matching spans only", async () => {
  const { request } = runWith({}, { name: "pay" });

  const body = await (await request("/api/operations?name_contains=PAY")).json();

  expect(body).toMatchObject({ operations: [{ name: "pay", spans: 1 }] });
});

test("GET /api/service-graph reports calls from parents, and links", async () => {
  const { request } = runWith(
    { service: "till", id: 2, parent: 1, isError: true },
    {},
    { service: "till", id: 3, links: [1, 9], parent: 8 },
  );

  const response = await request("/api/service-graph");

  expect(rangeOf(response)).toEqual(["1", "4"]);
  const nano = Number(4n * SECOND);
  expect(await response.json()).toEqual({
    services: [
      { service: "till", spans: 2, errors: 1 },
      { service: "shop", spans: 1, errors: 0 },
    ],
    calls: [
      {
        from: "shop",
        to: "till",
        calls: 1,
        errors: 1,
        links: 1,
        p50Nano: nano,
        p95Nano: nano,
        p99Nano: nano,
      },
    ],
    unknownParents: 1,
    unknownLinks: 1,
    others: 0,
    sequence: { run_id: RUN_ID, first: 1, next: 4 },
  });
});

test.each(["/api/operations", "/api/service-graph", "/api/traces"])(
  "%s holds memory while it searches, so that another is refused, and none afterwards",
  async (path) => {
    const capacity = { spans: 10_000, bytes: 1 << 20 };
    const { request, api, put } = runReadApi({ capacity, answerBudgetBytes: 1 });
    put(requestOf(10_000));

    // With two requests, the first could be answered before the second arrives.
    const responses = await Promise.all(Array.from({ length: 16 }, () => request(path)));
    await Promise.all(responses.map((response) => response.text()));

    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 503]));
    expect(api.counts().answerBytes).toBe(0);
  },
);
