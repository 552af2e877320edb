import { expect, test } from "bun:test";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import {
  AS_NDJSON,
  AS_PROTOBUF,
  linesOf,
  rangeOf,
  runReadApi,
  type RunningReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

// Goal: what a reader is told of sequences is true while spans are forwarded, too.
// Method: of five spans, the first is in flight, and the second has been delivered:
//
//   sequence   1       2          3     4     5
//              leased  delivered  free  free  free

const ONE_SPAN = { spans: 1, bytes: 4096 };

function runBesideLease(): RunningReadApi {
  const run = runReadApi();
  run.ring.lease(ONE_SPAN);
  run.ring.settle(run.ring.lease(ONE_SPAN)!, "delivered");
  return run;
}

interface Reading {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly found: number[];
  readonly next: string;
}

const READINGS: readonly Reading[] = [
  { method: "GET", path: "/api/spans", found: [1, 3, 4, 5], next: "6" },
  { method: "GET", path: "/api/spans?limit=2", found: [1, 3], next: "4" },
  { method: "GET", path: "/api/spans?limit=4", found: [1, 3, 4, 5], next: "6" },
  { method: "POST", path: "/api/spans/take", found: [3, 4, 5], next: "6" },
  { method: "POST", path: "/api/spans/take?limit=2", found: [3, 4], next: "5" },
  { method: "POST", path: "/api/spans/take?limit=3", found: [3, 4, 5], next: "6" },
];

test.each(READINGS)("$method $path as lines has $found", async ({ method, path, found, next }) => {
  const { request } = runBesideLease();

  const response = await request(path, { method, ...AS_NDJSON });

  const lines = await linesOf(response);
  expect(lines.map(({ sequence }) => sequence)).toEqual(found);
  expect(lines.map(({ name }) => name)).toEqual(found.map((number) => `span ${number}`));
  expect(rangeOf(response)).toEqual(["1", next]);
});

test.each(READINGS)("$method $path as JSON has $found", async ({ method, path, found, next }) => {
  const { request, ring } = runBesideLease();
  const expected = otlpJson(ring.copy(found).request);

  const response = await request(path, { method });

  expect(await response.text()).toBe(`${expected}\n`);
  expect(rangeOf(response)).toEqual(["1", next]);
});

test.each(READINGS)("$method $path as bytes has $found", async ({ method, path, found, next }) => {
  const { request, ring } = runBesideLease();
  const expected = ring.copy(found).request;

  const response = await request(path, { method, ...AS_PROTOBUF });

  expect(await response.bytes()).toEqual(expected);
  expect(rangeOf(response)).toEqual(["1", next]);
});

test("repeated takes return each span once, with its own sequence", async () => {
  const { request, ring } = runBesideLease();
  const take = async () => {
    const response = await request("/api/spans/take?limit=2", { method: "POST", ...AS_NDJSON });
    return (await linesOf(response)).map(({ sequence }) => sequence);
  };

  const taken = [await take(), await take(), await take()];

  expect(taken).toEqual([[3, 4], [5], []]);
  expect(ring.stats().spans).toMatchObject({ taken: 3, delivered: 1, buffered: 1 });
});

test("a filter finds spans in flight, and none that have left", async () => {
  const { request } = runBesideLease();
  const sequences = async (path: string) =>
    (await linesOf(await request(path, AS_NDJSON))).map(({ sequence }) => sequence);

  const paths = [
    "/api/spans?service=shop",
    "/api/spans?order=newest&limit=4",
    "/api/spans?after=1",
  ];
  const [byService, newest, after] = await Promise.all(paths.map(sequences));

  expect([byService, newest, after]).toEqual([
    [1, 3, 4, 5],
    [5, 4, 3, 1],
    [3, 4, 5],
  ]);
});
