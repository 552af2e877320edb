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

// Goal: the sequences in answers are correct while spans are being forwarded.
// Method: of five spans, the first is in flight and the second has been delivered:
//
//   sequence   1       2          3     4     5
//              leased  delivered  free  free  free

const ONE_SPAN = { spans: 1, bytes: 4096 };

function runWithLease(): RunningReadApi {
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

test.each(READINGS)(
  "$method $path returns the spans $found as lines",
  async ({ method, path, found, next }) => {
    const { request } = runWithLease();

    const response = await request(path, { method, ...AS_NDJSON });

    const lines = await linesOf(response);
    expect(lines.map(({ sequence }) => sequence)).toEqual(found);
    expect(lines.map(({ name }) => name)).toEqual(found.map((number) => `span ${number}`));
    expect(rangeOf(response)).toEqual(["1", next]);
  },
);

test.each(READINGS)(
  "$method $path returns the spans $found as JSON",
  async ({ method, path, found, next }) => {
    const { request, ring } = runWithLease();
    const expected = otlpJson(ring.copy(found).request);

    const response = await request(path, { method });

    expect(await response.text()).toBe(`${expected}\n`);
    expect(rangeOf(response)).toEqual(["1", next]);
  },
);

test.each(READINGS)(
  "$method $path returns the spans $found as bytes",
  async ({ method, path, found, next }) => {
    const { request, ring } = runWithLease();
    const expected = ring.copy(found).request;

    const response = await request(path, { method, ...AS_PROTOBUF });

    expect(await response.bytes()).toEqual(expected);
    expect(rangeOf(response)).toEqual(["1", next]);
  },
);

test("repeated takes return each span once with its sequence", async () => {
  const { request, ring } = runWithLease();
  const take = async () => {
    const response = await request("/api/spans/take?limit=2", { method: "POST", ...AS_NDJSON });
    return (await linesOf(response)).map(({ sequence }) => sequence);
  };

  const taken = [await take(), await take(), await take()];

  expect(taken).toEqual([[3, 4], [5], []]);
  expect(ring.stats().spans).toMatchObject({ taken: 3, delivered: 1, buffered: 1 });
});

test("a filter finds spans in flight, but no delivered ones", async () => {
  const { request } = runWithLease();
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
