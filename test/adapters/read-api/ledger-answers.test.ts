import { expect, test } from "bun:test";
import { SHOWING_RECENT_PROBLEMS } from "../../support/fakes/recent-problems.ts";
import {
  RUN_ID,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

test("GET /api/problems lists what was refused or discarded, without unknown members", async () => {
  const { request } = runReadApi({ problems: SHOWING_RECENT_PROBLEMS });

  const response = await request("/api/problems");

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toEqual({
    problems: [
      {
        protocol: "http",
        reason: "not_otlp_json",
        address: "10.0.0.7",
        count: 3,
        first: "2023-11-14T22:13:20.000Z",
        last: "2023-11-14T22:14:20.500Z",
        detail: "at byte 0: the body must be one JSON object",
        hint: "send an object",
      },
      {
        protocol: "grpc",
        reason: "evicted",
        count: 1,
        first: "2023-11-14T22:13:20.000Z",
        last: "2023-11-14T22:13:20.000Z",
        hint: "read faster",
      },
    ],
  });
});

test("without refusals, the list of problems is empty", async () => {
  const { request } = runReadApi();

  expect(await (await request("/api/problems")).json()).toEqual({ problems: [] });
});

test("DELETE /api/spans removes every span, as taken, and reports their sequences", async () => {
  const { request, ring } = runReadApi();
  ring.take(2);

  const response = await request("/api/spans", { method: "DELETE" });

  expect(response.status).toBe(200);
  const sequence = { run_id: RUN_ID, first: 3, next: 6 };
  expect(await response.json()).toEqual({ removed: 3, sequence });
  expect(ring.stats().spans).toMatchObject({ accepted: 5, buffered: 0, taken: 5 });
});

test("GET /api/services has the ledger of each service, and when it was last seen", async () => {
  const { request, ring } = runReadApi();
  const [shop] = ring.services();

  const response = await request("/api/services");

  const { spans, bytes, lastSeenUnixMs } = shop!;
  const lastSeen = new Date(lastSeenUnixMs).toISOString();
  expect(await response.json()).toEqual({
    services: [{ service: "shop", spans, bytes, lastSeen }],
    sequence: { run_id: RUN_ID, first: 1, next: 6 },
  });
  expect(spans).toMatchObject({ received: 5, buffered: 5 });
});
