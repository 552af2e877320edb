import { expect, test } from "bun:test";
import { follow, sequencesIn } from "../../support/running/followed-tail.ts";
import { largeRequest } from "../../support/requests/large-request.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import {
  rangeOf,
  RUN_ID,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

const AS_EVENTS = { Accept: "text/event-stream" };

test("by default, only new spans are shown, in order", async () => {
  const run = runReadApi();
  const { response, first, next } = await follow(run);

  run.put(requestOf(2, 6));
  const early = await next('"sequence":7');
  run.put(requestOf(1, 8));
  const late = await next('"sequence":8');

  expect(response.headers.get("content-type")).toBe("application/x-ndjson");
  expect(rangeOf(response)).toEqual(["6", null]);
  expect(first).toBe("\n");
  expect([sequencesIn(early), sequencesIn(late)]).toEqual([[6, 7], [8]]);
  expect(JSON.parse(late)).toMatchObject({ sequence: 8, service: "shop", name: "span 8" });
});

test("after=N shows the buffered spans after N, and then new ones", async () => {
  const run = runReadApi();
  const { response, next } = await follow(run, "?after=3");

  run.put(requestOf(1, 6));

  expect(rangeOf(response)).toEqual(["4", null]);
  expect(sequencesIn(await next('"sequence":6'))).toEqual([4, 5, 6]);
});

test("only matching spans are shown", async () => {
  const run = runReadApi();
  const { next } = await follow(run, "?name=span+8");

  run.put(requestOf(4, 6));

  expect(sequencesIn(await next("\n"))).toEqual([8]);
});

test("the id of an event consists of its run id and sequence", async () => {
  const run = runReadApi();
  const { response, first, next } = await follow(run, "", { headers: AS_EVENTS });

  run.put(requestOf(1, 6));
  const event = await next("\n\n");

  expect(response.headers.get("content-type")).toBe("text/event-stream");
  expect(first).toBe(":\n\n");
  const [, data] = /^id: 0123456789abcdef-6\ndata: (.*)\n\n$/.exec(event) ?? [];
  expect(JSON.parse(data!)).toMatchObject({ sequence: 6, name: "span 6" });
});

test.each<{ id: string; name: string; shown: number[] }>([
  { id: "3", name: "continues after it", shown: [4, 5, 6] },
  { id: "0", name: "begins with all buffered spans", shown: [1, 2, 3, 4, 5, 6] },
  { id: "5", name: "is the newest span, so that only new ones are shown", shown: [6] },
  { id: `${RUN_ID}-3`, name: "continues after it in this run", shown: [4, 5, 6] },
  { id: "", name: "is ignored", shown: [6] },
])("the Last-Event-ID '$id' $name", async ({ id, shown }) => {
  const run = runReadApi();
  const headers = { ...AS_EVENTS, "Last-Event-ID": id };
  const { next } = await follow(run, "", { headers });

  run.put(requestOf(1, 6));

  expect(sequencesIn(await next('"sequence":6'))).toEqual(shown);
});

test("Last-Event-ID takes precedence over after, because browsers repeat the URL", async () => {
  const run = runReadApi();
  const headers = { ...AS_EVENTS, "Last-Event-ID": "4" };
  const { next } = await follow(run, "?after=1", { headers });

  expect(sequencesIn(await next('"sequence":5'))).toEqual([5]);
});

test("an invalid Last-Event-ID is answered with 400", async () => {
  const { request } = runReadApi();

  const response = await request("/api/tail", { headers: { "Last-Event-ID": "1 2" } });

  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    parameter: "Last-Event-ID",
    detail: 'Last-Event-ID is "1 2"; it must be the identifier of an event',
  });
});

test.each([
  { form: "lines", headers: {}, missed: '{"missed":3}\n' },
  { form: "events", headers: AS_EVENTS, missed: 'event: missed\ndata: {"missed":3}\n\n' },
])("the number of evicted spans is reported as $form", async (given) => {
  const run = runReadApi({ spanCount: 5, capacity: { spans: 2, bytes: 4096 } });
  const { headers } = given;

  const { next } = await follow(run, "?after=0", { headers });
  const text = await next('"sequence":5');

  expect(text).toStartWith(given.missed);
  expect(sequencesIn(text)).toEqual([4, 5]);
});

test("spans without room in the budget are reported as missed", async () => {
  const run = runReadApi({ capacity: { spans: 600_000, bytes: 2 ** 25 }, answerBudgetBytes: 1 });
  run.put(largeRequest());
  const { next } = await follow(run);
  const waiting = await run.request("/api/spans/take?limit=600000", { method: "POST" });

  run.put(requestOf(2, 600_001));
  const missed = await next('"missed"');
  await waiting.bytes();
  run.put(requestOf(1, 600_003));
  const shown = await next('"span 600003"');

  // On a slow machine, beats may surround the count.
  expect(missed.trim()).toBe('{"missed":2}');
  expect(shown).not.toContain("missed");
});

test("a tail ends when the program stops, which does not wait for it", async () => {
  const run = runReadApi();
  const { reader, next } = await follow(run);
  run.put(requestOf(1, 6));
  await next('"sequence":6');

  run.beginToStop();
  const end = await reader.read();
  const later = await run.request("/api/tail");
  await run.api.stop();

  expect(end.done).toBe(true);
  expect(later.status).toBe(503);
  expect(run.logger.lines).toEqual([]);
});

test("a tail beyond the limit is refused until another one ends", async () => {
  const run = runReadApi({ maxTails: 1 });
  const aborting = new AbortController();
  const { reader } = await follow(run, "", { signal: aborting.signal });
  reader.closed.catch(() => {});
  await run.waiters(1);

  const refused = await run.request("/api/tail");
  aborting.abort();
  await run.waiters(0);
  const next = await run.request("/api/tail");

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({
    detail: "1 tails are already open, which is the maximum",
  });
  expect(next.status).toBe(200);
});

test("HEAD takes no permit", async () => {
  const run = runReadApi({ maxTails: 1 });

  await run.request("/api/tail", { method: "HEAD" });
  const { response } = await follow(run);

  expect(response.status).toBe(200);
});

test("an internal error aborts a tail and is logged", async () => {
  const faults = {
    copy: () => {
      throw new Error("the lock is lost");
    },
  };
  const run = runReadApi({ faults, maxTails: 1 });
  const { next } = await follow(run);

  run.put(requestOf(1, 6));
  await expect(next("span 6")).rejects.toThrow();
  const again = await run.request("/api/tail");

  expect(again.status).toBe(200);
  expect(run.logger.lines).toMatchObject([{ level: "error", event: "api_failed" }]);
});

test("an unacceptable Accept is answered with 406", async () => {
  const { request } = runReadApi();

  const response = await request("/api/tail", { headers: { Accept: "application/json" } });

  expect(response.status).toBe(406);
  expect(await response.json()).toMatchObject({
    detail: "Accept must allow application/x-ndjson or text/event-stream",
  });
});
