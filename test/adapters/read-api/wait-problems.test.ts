import { expect, test } from "bun:test";
import { requestOf, spanId } from "../../support/requests/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";
import { traceHex, tracedRequests } from "../../support/requests/traced-requests.ts";

stopReadApisAfterEach();

const LOST = Uint8Array.from(spanId(99)).toHex();

test("a wait beyond the limit of different filters is refused with advice", async () => {
  const run = runReadApi();
  const leaving = new AbortController();
  const waitings = Array.from({ length: 64 }, (_, index) =>
    run.request(`/api/wait?min_duration=${index + 1}ms&timeout=10m`, leaving).catch(() => {}),
  );
  await run.waiters(64);

  const refused = await run.request("/api/wait?min_duration=65ms&timeout=10m");
  const named = await run.request("/api/wait?min_duration=65ms&name=a&timeout=0s");
  leaving.abort();
  await Promise.all(waitings);

  expect([refused.status, named.status]).toEqual([503, 408]);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(
      /^64 waits with other filters .* filter by a name, an attribute or a trace_id/,
    ),
  });
});

const QUIET_MS = 60_000;

test.each([
  {
    name: "without a match",
    spans: [],
    query: "",
    says: "no matching span arrived in time",
    trace: undefined,
  },
  {
    name: "without a root",
    spans: [{ trace: 1, name: "child", parent: spanId(99) }],
    query: "",
    says:
      `1 span matches, but the trace ${traceHex(1)} was not complete in time: no root arrived, ` +
      `and the parent ${LOST} is missing`,
    trace: { traceId: traceHex(1), spans: 1, hasRoot: false, missingParents: [LOST] },
  },
  {
    name: "without many of its spans",
    spans: [99, 98, 97, 96, 95].map((parent) => ({
      trace: 1,
      name: "child",
      parent: spanId(parent),
    })),
    query: "",
    says: expect.stringMatching(
      /^5 spans match, .*, and the parents (\w{16}, ){2}\w{16} and 2 more are missing$/,
    ),
    trace: { spans: 5 },
  },
  {
    name: "whose spans are parents of one another",
    spans: [
      { trace: 1, name: "child", parent: spanId(2) },
      { trace: 1, name: "child", parent: spanId(1) },
    ],
    query: "",
    says: expect.stringMatching(/: no root arrived, and its spans are parents of one another$/),
    trace: { hasRoot: false, missingParents: [] },
  },
  {
    name: "with a root and too few spans",
    spans: [{ trace: 1, name: "child" }],
    query: "&count=3",
    says: expect.stringMatching(/: it has a root, but only 1 of 3 spans$/),
    trace: { spans: 1, hasRoot: true, missingParents: [] },
  },
  {
    name: "that was not quiet",
    spans: [{ trace: 1, name: "child" }],
    query: `&quiet=${QUIET_MS}ms`,
    says: expect.stringMatching(/: it has a root, but was not quiet for 60000 ms$/),
    trace: { spans: 1, hasRoot: true, missingParents: [] },
  },
  {
    name: "among other traces",
    spans: [
      { trace: 1, name: "child", parent: spanId(99) },
      { trace: 2, name: "child", parent: spanId(99) },
    ],
    query: "",
    says:
      `2 spans of 2 traces match, but no trace was complete in time; one is ${traceHex(1)}: ` +
      `no root arrived, and the parent ${LOST} is missing`,
    trace: { traceId: traceHex(1) },
  },
])("408 describes a trace $name", async ({ spans, query, says, trace }) => {
  const run = runReadApi({ spanCount: 0 });
  for (const each of tracedRequests(...spans)) run.put(each);

  const url = `/api/wait?name=child&trace_complete=true&timeout=20ms${query}`;
  const response = await run.request(url);
  const problem = (await response.json()) as { detail: string; incomplete?: object };

  expect(response.status).toBe(408);
  expect(problem.detail).toEqual(says);
  expect([problem.incomplete].filter((each) => each !== undefined)).toMatchObject(
    trace === undefined ? [] : [trace],
  );
});

test("a wait that follows too many traces is refused with advice", async () => {
  const run = runReadApi({ spanCount: 0, capacity: { spans: 2_000, bytes: 2 ** 20 } });
  run.put(requestOf(1_025));
  const wait = "/api/wait?trace_complete=true&quiet=1ms";

  const refused = await run.request(`${wait}&count=2&timeout=20ms`);
  const narrow = await run.request(`${wait}&count=2&timeout=20ms&name=span+1`);
  const found = await run.request(`${wait}&timeout=10m`);

  expect([refused.status, narrow.status, found.status]).toEqual([503, 408, 200]);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(/^more than 1024 traces .* use a filter that fewer spans match$/),
  });
});

test("a wait beyond the total limit of followed traces is refused", async () => {
  const run = runReadApi({ maxFollowedTraces: 1 });
  const leaving = new AbortController();
  const wait = "/api/wait?trace_complete=true&timeout=10m";
  const other = run.request(`${wait}&name=span+1&quiet=10m`, leaving).catch(() => {});
  await run.waiters(2);

  const refused = await run.request(`${wait}&name=span+2`);
  leaving.abort();
  await other;

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    detail: expect.stringMatching(/^all waits together follow .* try again later$/),
  });
});
