import { describe, expect, test } from "bun:test";
import { FREE_FAILURES } from "../../../src/adapters/listening/token-gate.ts";
import { ROUTES } from "../../../src/adapters/read-api/routes.ts";
import { openedGate, tokenList } from "../../support/fakes/opened-gate.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

function runGuarded() {
  const opened = openedGate("zero", "one");
  return { ...runReadApi({ gate: opened.gate }), ...opened };
}

const VALID = { headers: { Authorization: "Bearer one" } };

test.each([VALID, { headers: { "x-api-key": "one" } }])("%j reads spans", async (init) => {
  const { request } = runGuarded();

  expect((await request("/api/spans", init)).status).toBe(200);
});

test.each([
  { headers: {}, challenge: "Bearer", detail: "a token is required" },
  { headers: { Authorization: "Basic one" }, challenge: "Bearer", detail: "a token is required" },
  {
    headers: { Authorization: "Bearer two" },
    challenge: 'Bearer error="invalid_token"',
    detail: "the token is not accepted",
  },
])("a request with $headers gets 401 and a problem", async ({ headers, challenge, detail }) => {
  const { request, ring, problems } = runGuarded();
  const response = await request("/api/spans/take", { method: "POST", headers });

  expect(response.status).toBe(401);
  expect(response.headers.get("www-authenticate")).toBe(challenge);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toEqual({
    type: "about:blank",
    title: "Unauthorized",
    status: 401,
    detail: expect.stringContaining(detail),
  });
  expect(ring.size()).toBe(5);
  expect(problems).toMatchObject([
    { protocol: "api", reason: "unauthenticated", address: "127.0.0.1" },
  ]);
});

const OPEN = new Set(["/healthz", "/readyz"]);
const PATHS = [...new Set(ROUTES.map(({ path }) => path))];

test.each(PATHS)("%s needs a token, unless it is for probes", async (path) => {
  const { request } = runGuarded();
  const response = await request(path.replace("{trace_id}", "a".repeat(32)), { method: "HEAD" });

  expect(response.status === 401).toBe(!OPEN.has(path));
});

test.each([
  { path: "/no/such/path", method: "GET" },
  { path: "/healthz", method: "POST" },
  { path: "/healthz/", method: "GET" },
  { path: "/api/spans?limit=all", method: "GET" },
])("$method $path tells a stranger nothing", async ({ path, method }) => {
  const { request } = runGuarded();

  expect((await request(path, { method })).status).toBe(401);
});

test("spans sent to this port still learn the right one", async () => {
  const { request } = runGuarded();

  expect((await request("/v1/traces", { method: "POST", body: "x" })).status).toBe(421);
});

describe("without tokens", () => {
  test("everyone may read, whatever they send", async () => {
    const { request } = runReadApi();

    expect((await request("/api/spans", VALID)).status).toBe(200);
  });
});

test("refusals are delayed after several, and valid requests are not", async () => {
  const { request, clock } = runGuarded();
  for (let failure = 0; failure < FREE_FAILURES; failure += 1) await request("/api/stats");
  let isAnswered = false;
  const late = request("/api/stats").finally(() => (isAnswered = true));
  const valid = await request("/api/stats", VALID);
  while (clock.pendingActions === 0) await new Promise(setImmediate);
  const wasAnswered = isAnswered;
  clock.moveMs(1_000);

  expect({ wasAnswered, valid: valid.status }).toEqual({ wasAnswered: false, valid: 200 });
  expect((await late).status).toBe(401);
});

test("refusals are counted by status", async () => {
  const { request, api } = runGuarded();
  await request("/api/stats");

  expect(api.counts().requestsByStatus["401"]).toBe(1);
});

test("a tail ends when the tokens change, because its own may be revoked", async () => {
  const { request, gate } = runGuarded();
  const tail = await request("/api/tail", VALID);
  gate.use(tokenList("two"));
  await tail.text();

  expect([tail.status, (await request("/api/tail", VALID)).status]).toEqual([200, 401]);
});
