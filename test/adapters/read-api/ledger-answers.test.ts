import { expect, test } from "bun:test";
import { logStats } from "../../support/fakes/metric-sources.ts";
import { SHOWING_RECENT_PROBLEMS } from "../../support/fakes/recent-problems.ts";
import {
  RECEIVERS,
  RUN_ID,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import { forwardMember } from "../../../src/adapters/read-api/ledger-answers.ts";
import { zeroForwardFigures } from "../../../src/application/forwarding/forward-status.ts";
import type { ForwardStatus } from "../../../src/application/forwarding/forward-status.ts";
import { forwardStatus } from "../../support/fakes/forward-status.ts";
import { closed, fetchDescription } from "../../support/oracles/openapi-description.ts";

stopReadApisAfterEach();

test("GET /api/problems lists problems and omits undefined members", async () => {
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

test("the list of problems is empty without problems", async () => {
  const { request } = runReadApi();

  expect(await (await request("/api/problems")).json()).toEqual({ problems: [] });
});

test("DELETE /api/spans removes every span as taken and returns their sequences", async () => {
  const { request, ring } = runReadApi();
  ring.take(2);

  const response = await request("/api/spans", { method: "DELETE" });

  expect(response.status).toBe(200);
  const sequence = { run_id: RUN_ID, first: 3, next: 6 };
  expect(await response.json()).toEqual({ removed: 3, sequence });
  expect(ring.stats().spans).toMatchObject({ accepted: 5, buffered: 0, taken: 5 });
});

test("GET /api/services returns the ledger of each service and when it was last seen", async () => {
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

stopReadApisAfterEach();

const endpoint = "grpcs://collector:4317";
const reading = (parts: Partial<ForwardStatus> = {}) => {
  return { endpoint, status: () => forwardStatus(parts) };
};
const CALM = { pauseLeftMs: 0, lastError: undefined, figures: zeroForwardFigures() };

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "api", ...closed(await fetchDescription()) });

test("the forward member has all figures and the time of the next attempt", () => {
  expect(forwardMember(reading())).toEqual({
    endpoint,
    state: "backing_off",
    retry_in_ms: 1235,
    last_error: { message: "UNAVAILABLE: no route", time: "2026-11-24T13:04:39.007Z" },
    spans_per_second: 1234.6,
    lag_seconds: 4.2,
    in_flight: { batches: 2, spans: 1028 },
    retried_spans: 27,
    undeliverable: {
      invalid: 24,
      unauthenticated: 0,
      forbidden: 0,
      not_found: 0,
      unsupported: 0,
      redirected: 0,
      internal: 0,
      other: 0,
      too_large: 25,
      rejected: 26,
    },
    batches: {
      delivered: 21,
      partly_rejected: 22,
      too_large: 0,
      refused: 0,
      blocked: 0,
      retry: 23,
    },
  });
});

test.each<ForwardStatus["state"]>(["untried", "connected"])(
  "in the state %s, no next attempt is reported",
  (state) => {
    const member = forwardMember(reading({ ...CALM, state }));

    expect(member).toHaveProperty("state", state);
    expect(member).not.toHaveProperty("retry_in_ms");
    expect(member).not.toHaveProperty("last_error");
  },
);

test.each<Partial<ForwardStatus>>([
  { ...CALM, state: "untried", spansPerSecond: 0, lagMs: 0 },
  { ...CALM, state: "connected" },
  { state: "connected", pauseLeftMs: 0 },
  { state: "backing_off", pauseLeftMs: 0 },
  {},
])("the stats of a forwarding server match their schema: %j", async (parts) => {
  const { request } = runReadApi({ forward: reading(parts) });

  const body: unknown = await (await request("/api/stats")).json();

  const validate = ajv.compile({ $ref: "api#/components/schemas/Stats" });
  expect({ valid: validate(body), errors: validate.errors }).toEqual({ valid: true, errors: null });
  expect(body).toHaveProperty("forward", forwardMember(reading(parts)));
});

test.each([
  { state: "blocked", hint: "check FORWARD_HEADERS_FILE" },
  { state: "backing_off", hint: undefined },
] as const)("/readyz reports the state $state and its reason", async ({ state, hint }) => {
  const lastError = { message: "401: no", hint, unixMs: 0 };
  const { request } = runReadApi({ forward: reading({ state, lastError }) });
  const last_error = {
    message: "401: no",
    ...(hint === undefined ? {} : { hint }),
    time: "1970-01-01T00:00:00.000Z",
  };

  const response = await request("/readyz");
  const body: unknown = await response.json();
  const stats: unknown = await (await request("/api/stats")).json();

  const validate = ajv.compile({ $ref: "api#/components/schemas/Readiness" });
  expect({ valid: validate(body), errors: validate.errors }).toEqual({ valid: true, errors: null });
  // The server receives, so it is ready: refusing exporters would lose more spans.
  expect(response.status).toBe(200);
  expect(body).toMatchObject({ status: "ready", forward: { state, last_error } });
  expect(stats).toMatchObject({ forward: { state, retry_in_ms: 1235, last_error } });
});

test("/readyz reports only the state after the upstream accepts spans again", async () => {
  const { request } = runReadApi({ forward: reading({ state: "connected" }) });

  expect(await (await request("/readyz")).json()).toHaveProperty("forward", { state: "connected" });
});

test.each([
  { readiness: "ready", isRefusing: true, code: 503, status: "refusing", state: "failing" },
  { readiness: "ready", isRefusing: false, code: 200, status: "ready", state: "failing" },
  { readiness: "ready", isRefusing: false, code: 200, status: "ready", state: "memory_only" },
  { readiness: "stopping", isRefusing: true, code: 503, status: "stopping", state: "failing" },
] as const)(
  "/readyz is $code with the reason in the state $status of a disk that is $state",
  async (given) => {
    const disk = () => ({
      ...logStats(),
      durability: "disk" as const,
      failure: "ENOSPC: no space left on device",
      isRefusing: given.isRefusing,
      isMemoryOnly: given.state === "memory_only",
    });
    const { request } = runReadApi({ disk, readiness: () => given.readiness });

    const response = await request("/readyz");
    const body: unknown = await response.json();

    const validate = ajv.compile({ $ref: "api#/components/schemas/Readiness" });
    expect({ valid: validate(body), errors: validate.errors }).toEqual({
      valid: true,
      errors: null,
    });
    expect(response.status).toBe(given.code);
    expect(body).toEqual({
      status: given.status,
      disk: { state: given.state, error: "ENOSPC: no space left on device" },
    });
  },
);

test("a server without forwarding does not mention it", async () => {
  const { request } = runReadApi();

  expect(await (await request("/api/stats")).json()).not.toHaveProperty("forward");
});

test.each(["state", "endpoint", "batches", "undeliverable"])(
  "an answer without %s does not match its schema",
  (name) => {
    const member = { ...forwardMember(reading()), [name]: undefined };

    expect(ajv.validate({ $ref: "api#/components/schemas/Forward" }, member)).toBe(false);
  },
);

test("GET /api/receivers reports where spans can be sent", async () => {
  const { request } = runReadApi();

  expect(await (await request("/api/receivers")).json()).toEqual(RECEIVERS);
});
