import { expect, test } from "bun:test";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

stopReadApisAfterEach();

const bound = "it must be a whole number from 1 to 2147483647";

test.each([
  { query: "limit=0", parameter: "limit", detail: `limit is "0"; ${bound}` },
  { query: "limit=-1", parameter: "limit", detail: `limit is "-1"; ${bound}` },
  { query: "limit=1.5", parameter: "limit", detail: `limit is "1.5"; ${bound}` },
  { query: "limit=1e3", parameter: "limit", detail: `limit is "1e3"; ${bound}` },
  { query: "limit=007", parameter: "limit", detail: `limit is "007"; ${bound}` },
  { query: "limit=", parameter: "limit", detail: `limit is ""; ${bound}` },
  { query: "limit=all", parameter: "limit", detail: `limit is "all"; ${bound}` },
  { query: "limit=2147483648", parameter: "limit", detail: `limit is "2147483648"; ${bound}` },
  { query: "limit=99999999999", parameter: "limit", detail: `limit is "99999999999"; ${bound}` },
  { query: "limit=%1b%5b2J", parameter: "limit", detail: `limit is "\\x1b[2J"; ${bound}` },
  { query: "limit=1&limit=1", parameter: "limit", detail: "limit is given more than once" },
  {
    query: "limit=1&Limit=2",
    parameter: "Limit",
    detail: 'unknown parameter "Limit"; known: limit',
  },
  {
    query: "%0a",
    parameter: "\\n",
    detail: 'unknown parameter "\\n"; known: limit',
  },
])("?$query is answered with 400, which names $parameter", async ({ query, parameter, detail }) => {
  const { request, ring } = runReadApi();

  const response = await request(`/api/spans/take?${query}`, { method: "POST" });

  expect(response.status).toBe(400);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toEqual({
    type: "about:blank",
    title: "Bad Request",
    status: 400,
    parameter,
    detail,
  });
  expect(ring.size()).toBe(5);
});

test.each(["1", "2147483647"])("limit=%s is within the bounds", async (limit) => {
  const { request } = runReadApi();

  const response = await request(`/api/spans?limit=${limit}`);

  expect(response.status).toBe(200);
});

test("a value is cut in the message about it", async () => {
  const { request } = runReadApi();

  const response = await request(`/api/spans?limit=${"9".repeat(5000)}`);

  const { detail } = (await response.json()) as { detail: string };
  expect(detail).toHaveLength('limit is ""; '.length + 254 + bound.length);
});

test.each(["/healthz", "/readyz", "/api/stats"])("%s accepts no parameters", async (path) => {
  const { request } = runReadApi();

  const response = await request(`${path}?verbose=1`);

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    detail: 'unknown parameter "verbose"; this path has no parameters',
  });
});

test.each([
  "/api",
  "/api/spans/",
  "/api/traces/",
  "/api/traces/1/2",
  "/API/spans",
  "/__proto__",
  "/api/spans/%74ake",
])("%s is answered with 404", async (path) => {
  const { request } = runReadApi();

  const response = await request(path);

  expect(response.status).toBe(404);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toEqual({
    type: "about:blank",
    title: "Not Found",
    status: 404,
    detail:
      "no such path; known paths: /healthz, /readyz, /api/stats, /api/receivers, /api/problems, " +
      "/metrics, /api/spans, /api/spans/take, /api/upload, /api/traces, /api/traces/{trace_id}, " +
      "/api/services, /api/operations, /api/service-graph, /api/wait, /api/tail, /api/openapi.json",
  });
});

test.each([
  { method: "POST", path: "/api/spans", allow: "GET, HEAD, DELETE" },
  { method: "PUT", path: "/api/traces/0", allow: "GET, HEAD" },
  { method: "DELETE", path: "/api/stats", allow: "GET, HEAD" },
  { method: "OPTIONS", path: "/healthz", allow: "GET, HEAD" },
  { method: "GET", path: "/api/spans/take", allow: "POST" },
  { method: "HEAD", path: "/api/spans/take", allow: "POST" },
])(
  "$method $path is answered with 405 and the allowed methods",
  async ({ method, path, allow }) => {
    const { request, ring } = runReadApi();

    const response = await request(path, { method });

    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect(ring.size()).toBe(5);
  },
);

test("the detail of 405 lists all methods of the path", async () => {
  const { request } = runReadApi();

  const [two, one] = [
    await request("/api/spans", { method: "PATCH" }),
    await request("/api/spans/take", { method: "PATCH" }),
  ];

  expect(await two.json()).toMatchObject({
    detail: "this path supports only GET, HEAD and DELETE",
  });
  expect(await one.json()).toMatchObject({ detail: "this path supports only POST" });
});

test("an unacceptable Accept is answered with 406, and nothing is taken", async () => {
  const { request, ring } = runReadApi();

  const response = await request("/api/spans/take", {
    method: "POST",
    headers: { Accept: "text/html" },
  });

  expect(response.status).toBe(406);
  expect(await response.json()).toMatchObject({
    title: "Not Acceptable",
    detail: "Accept must allow application/json, application/x-protobuf or application/x-ndjson",
  });
  expect(ring.size()).toBe(5);
});

test("an internal error is answered with 500, and its message is only logged", async () => {
  const { request, logger } = runReadApi({ faults: { stats: fail } });

  const response = await request("/api/stats");

  expect(response.status).toBe(500);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.text()).not.toContain("the lock is lost");
  expect(logger.lines).toHaveLength(1);
  expect(logger.lines[0]).toMatchObject({ level: "error", event: "api_failed" });
  expect(logger.lines[0]?.fields["error"]).toContain("the lock is lost");
});

test("a failure of the first chunk of spans is answered with 500", async () => {
  const faults = { peek: () => oldestOf(Uint8Array.of(0xff)) };
  const { request, logger } = runReadApi({ faults, answerBudgetBytes: 1 });

  const first = await request("/api/spans");
  const second = await request("/api/spans");

  expect([first.status, second.status]).toEqual([500, 500]);
  expect(logger.lines.map(({ event }) => event)).toEqual(["api_failed", "api_failed"]);
});

// Each answer releases its part of the budget: otherwise the second one would be refused.
test("a failure of a later chunk of spans aborts the answer", async () => {
  const unwritable = Uint8Array.from(bytesField(1, bytesField(2, [0xff])));
  const spans = new Uint8Array(Buffer.concat([requestOf(5000), unwritable]));
  const faults = { peek: () => oldestOf(spans.slice()) };
  const { request, logger } = runReadApi({ faults, answerBudgetBytes: 1 });

  const first = request("/api/spans").then((response) => response.text());
  await expect(first).rejects.toThrow();
  const second = request("/api/spans").then((response) => response.text());
  await expect(second).rejects.toThrow();

  expect(logger.lines.map(({ event }) => event)).toEqual(["api_failed", "api_failed"]);
});

function oldestOf(request: Uint8Array<ArrayBuffer>) {
  return { request, sequences: [], range: { first: 1, next: 1 } };
}

function fail(): never {
  throw new Error("the lock is lost");
}
