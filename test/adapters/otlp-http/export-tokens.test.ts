import { describe, expect, test } from "bun:test";
import { FREE_FAILURES } from "../../../src/adapters/listening/token-gate.ts";
import { google } from "../../../src/adapters/otlp/generated/otlp.js";
import { openedGate } from "../../support/fakes/opened-gate.ts";
import { sendHalfBody } from "../../support/running/half-sent-body.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const UNAUTHENTICATED = 16;
const JSON_TYPE = { "Content-Type": "application/json" };
const REQUEST = new Uint8Array([10, 0]);

function runGuarded(corsOrigins: readonly string[] = []) {
  const opened = openedGate("zero", "one");
  return { ...runOtlpHttp({ gate: opened.gate, corsOrigins }), ...opened };
}

test.each([
  { headers: { Authorization: "Bearer one" } },
  { headers: { authorization: "BEARER one" } },
  { headers: { "X-Api-Key": "one" } },
])("a request with $headers is received", async ({ headers }) => {
  const { send, receiver } = runGuarded();

  expect((await send(REQUEST, { headers })).status).toBe(200);
  expect(receiver.requests.length).toBe(1);
});

test.each([
  { headers: {}, challenge: "Bearer" },
  { headers: { Authorization: "Basic b25lOm9uZQ==" }, challenge: "Bearer" },
  { headers: { Authorization: "Bearer two" }, challenge: 'Bearer error="invalid_token"' },
  { headers: { "X-Api-Key": "two" }, challenge: 'Bearer error="invalid_token"' },
])("a request with $headers gets 401 and a status", async ({ headers, challenge }) => {
  const { send, receiver, problems } = runGuarded();
  const response = await send(REQUEST, { headers });
  const decoded = google.rpc.Status.decode(await response.bytes());

  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toBe(challenge);
  expect(decoded.code).toBe(UNAUTHENTICATED);
  expect(decoded.message).toContain("token");
  expect(receiver.requests).toEqual([]);
  expect(problems).toMatchObject([
    { protocol: "http", reason: "unauthenticated", address: "127.0.0.1" },
  ]);
});

test("the answer to JSON is JSON", async () => {
  const { send } = runGuarded();
  const response = await send("{}", { headers: JSON_TYPE });

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toMatchObject({ code: UNAUTHENTICATED });
});

test.each([
  { path: "/v1/metrics", method: "POST" },
  { path: "/v1/traces", method: "PUT" },
  { path: "/", method: "POST" },
])("$method $path tells a stranger nothing", async ({ path, method }) => {
  const { send } = runGuarded();

  expect((await send("", { path, method })).status).toBe(401);
});

test("a page of another origin can read the answer, and asks first without a token", async () => {
  const { send, request } = runGuarded(["https://shop.example"]);
  const origin = { Origin: "https://shop.example" };
  const asking = { ...origin, "Access-Control-Request-Method": "POST" };
  const asked = { ...asking, "Access-Control-Request-Headers": "authorization" };
  const preflight = await request("/v1/traces", { method: "OPTIONS", headers: asked });
  const refused = await send(REQUEST, { headers: origin });

  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization");
  expect(refused.status).toBe(401);
  expect(refused.headers.get("access-control-allow-origin")).toBe("https://shop.example");
});

describe("a request without a token", () => {
  test("is not in flight while its body arrives", async () => {
    const { listener, budget } = runGuarded();
    using half = await sendHalfBody(listener.port, { declaredBytes: 1_000, sentBytes: 10 });
    // The body is discarded to its end, so that the sender can read the answer.
    const counts = listener.counts();
    half.send(new Uint8Array(990));

    expect(await half.answer).toStartWith("HTTP/1.1 401 ");
    expect(counts.requestsInFlight).toBe(0);
    expect(budget.heldBytes).toBe(0);
  });

  test("is answered late after several others, and a valid one is not", async () => {
    const { send, clock, problems } = runGuarded();
    for (let failure = 0; failure < FREE_FAILURES; failure += 1) await send(REQUEST);
    let isAnswered = false;
    const late = send(REQUEST).finally(() => (isAnswered = true));
    const valid = await send(REQUEST, { headers: { "X-Api-Key": "one" } });
    while (problems.length <= FREE_FAILURES) await new Promise(setImmediate);
    const wasAnswered = isAnswered;
    while (clock.pendingActions === 0) await new Promise(setImmediate);
    clock.moveMs(1_000);

    expect({ wasAnswered, valid: valid.status }).toEqual({ wasAnswered: false, valid: 200 });
    expect((await late).status).toBe(401);
  });
});
