import { expect, test } from "bun:test";
import { FILE_TYPE } from "../../../src/adapters/read-api/upload-answer.ts";
import { ROUTES } from "../../../src/adapters/read-api/routes.ts";
import { follow, sequencesIn } from "../../support/running/followed-tail.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import {
  AS_NDJSON,
  linesOf,
  runReadApi,
  RUN_ID,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

// Goal: a reader that continues after a restart gets an error on every path, and does not wait for
// sequences that the new run may never reach.

const PATHS = ["/api/spans?", "/api/traces?", "/api/wait?timeout=0s&", "/api/tail?"];

const GONE_CURSORS = [
  { name: "beyond the newest span", cursor: "6", says: "the newest span of this run" },
  { name: "far beyond it", cursor: String(2 ** 53 - 1), says: "the newest span of this run" },
  { name: "beyond it, in this run", cursor: `${RUN_ID}-6`, says: "the newest span of this run" },
  { name: "of another run", cursor: "fedcba9876543210-3", says: "another run of spanring" },
  { name: "at the beginning of another run", cursor: "b-0", says: "another run of spanring" },
];

test.each(PATHS.flatMap((path) => GONE_CURSORS.map((gone) => ({ path, ...gone }))))(
  "$path answers a cursor $name with 410",
  async ({ path, cursor, says }) => {
    const { request } = runReadApi();

    const response = await request(`${path}after=${cursor}`);

    expect(response.status).toBe(410);
    expect(await response.json()).toEqual({
      type: "about:blank",
      title: "Gone",
      status: 410,
      detail: expect.stringContaining(says),
      parameter: "after",
      sequence: { run_id: RUN_ID, first: 1, next: 6 },
    });
  },
);

test.each(GONE_CURSORS)(
  "every path and Last-Event-ID give the same answer to $cursor",
  async ({ cursor }) => {
    const { request } = runReadApi();
    const bodyOf = async (path: string, init?: RequestInit) =>
      await (await request(path, init)).text();

    const pathBodies = await Promise.all(PATHS.map((path) => bodyOf(`${path}after=${cursor}`)));
    const eventBody = await bodyOf("/api/tail", { headers: { "Last-Event-ID": cursor } });

    const normalizedEventBody = eventBody
      .replace("Last-Event-ID is", "after is")
      .replace('"parameter":"Last-Event-ID"', '"parameter":"after"');
    expect(new Set([...pathBodies, normalizedEventBody]).size).toBe(1);
  },
);

test.each(["0", "5", `${RUN_ID}-0`, `${RUN_ID}-5`])(
  "the cursor %s, up to the newest span, is accepted on every path",
  async (cursor) => {
    const { request } = runReadApi();

    const statuses = await Promise.all(
      PATHS.map(async (path) => {
        const aborting = new AbortController();
        const { status } = await request(`${path}name=x&after=${cursor}`, aborting);
        aborting.abort();
        return status;
      }),
    );

    expect(statuses).toEqual([200, 200, 408, 200]);
  },
);

test("an empty ring accepts a cursor at its beginning, and none beyond", async () => {
  const { request } = runReadApi({ spanCount: 0 });

  const responses = await Promise.all(
    ["0", `${RUN_ID}-0`, "1"].map((cursor) => request(`/api/spans?after=${cursor}`)),
  );

  expect(responses.map(({ status }) => status)).toEqual([200, 200, 410]);
});

test("a cursor at a span that was taken or cleared is accepted", async () => {
  const { request, ring } = runReadApi();
  ring.clear();

  const response = await request(`/api/spans?after=${RUN_ID}-5`);

  expect(response.status).toBe(200);
});

test("the run and the sequence of a line form a cursor", async () => {
  const { request, put } = runReadApi();
  const lines = await linesOf(await request("/api/spans?limit=3", AS_NDJSON));
  put(requestOf(1, 6));

  const { run_id: runId, sequence } = lines.at(-1)!;
  const later = await linesOf(await request(`/api/spans?after=${runId}-${sequence}`, AS_NDJSON));

  expect(lines.map((line) => line["run_id"])).toEqual([RUN_ID, RUN_ID, RUN_ID]);
  expect(later.map((line) => line["sequence"])).toEqual([4, 5, 6]);
});

test("the id of an event is a cursor", async () => {
  const run = runReadApi();
  const asEvents = { Accept: "text/event-stream" };
  const tail = await follow(run, "", { headers: asEvents });
  run.put(requestOf(1, 6));
  const [, id = ""] = /^id: (\S+)$/m.exec(await tail.next("\n\n")) ?? [];
  run.put(requestOf(2, 7));

  const again = await follow(run, "", { headers: { ...asEvents, "Last-Event-ID": id } });

  expect(id).toBe(`${RUN_ID}-6`);
  expect(sequencesIn(await again.next('"sequence":8'))).toEqual([7, 8]);
});

test.each(ROUTES.map(({ method, path }) => ({ method, path })))(
  "the answer of $method $path has the run id in a header",
  async ({ method, path }) => {
    const { request } = runReadApi({ spanCount: 1 });
    const aborting = new AbortController();
    const wanted = path.replace("{trace_id}", "ab070707070707070707070700000001");

    const headers = { "Content-Type": FILE_TYPE };
    const found = await request(wanted, { method, headers, signal: aborting.signal });
    const mistaken = await request(`${wanted}?nonsense=1`, { method });
    aborting.abort();

    expect([found.status, mistaken.status]).toEqual([200, 400]);
    expect(found.headers.get("spanring-run-id")).toBe(RUN_ID);
    expect(mistaken.headers.get("spanring-run-id")).toBe(RUN_ID);
  },
);

test.each([
  { method: "GET", path: "/api/stats" },
  { method: "GET", path: "/api/services" },
  { method: "GET", path: "/api/traces" },
  { method: "GET", path: "/api/traces/ab070707070707070707070700000009" },
  { method: "GET", path: "/api/wait?name=x&timeout=0s" },
  { method: "GET", path: "/api/wait?absent=true" },
  { method: "DELETE", path: "/api/spans" },
])("the answer of $method $path has the run id of its sequences", async ({ method, path }) => {
  const { request } = runReadApi();

  const body = (await (await request(path, { method })).json()) as { sequence: object };

  expect(body.sequence).toEqual({
    run_id: RUN_ID,
    first: expect.any(Number),
    next: expect.any(Number),
  });
});
