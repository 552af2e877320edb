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
import { AnswerBudget } from "../../../src/adapters/read-api/answer-budget.ts";
import { TAIL_FORMS, tailChunks, withBeats } from "../../../src/adapters/read-api/tail-answer.ts";
import type { TailPiece } from "../../../src/application/waiting/tail-spans.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { DrivenClock } from "../../support/fakes/driven-clock.ts";

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

const LINES = TAIL_FORMS["application/x-ndjson"];
const runId = "a1";
const EVENTS = TAIL_FORMS["text/event-stream"];

test("the bytes of a piece are charged until all of it is consumed", async () => {
  const budget = new AnswerBudget(1);
  const held = budget.begin();
  const chunks = tailChunks(inOrder(piece(1), piece(2)), { form: LINES, held, runId });
  held.hold(1);

  expect(await nextText(chunks)).toContain('"span 1"');
  expect(budget.hasRoom()).toBe(false);
  await nextText(chunks);
  expect(budget.hasRoom()).toBe(true);
});

test("the count of missed spans precedes a piece, and includes those without room", async () => {
  const held = new AnswerBudget(1).begin();
  const pieces = inOrder({ ...piece(9), missedSpans: 3 });
  const chunks = tailChunks(pieces, { form: LINES, held, runId });
  held.refuse(4);

  expect(await nextText(chunks)).toBe('{"missed":7}\n');
  expect(await nextText(chunks)).toContain('"span 9"');
  expect(await nextText(chunks)).toBeUndefined();
});

const BEAT_MS = 15_000;

test("a beat is written first, and then after each silence", async () => {
  const clock = new DrivenClock();
  const arrival = Promise.withResolvers<void>();
  const chunks = withBeats(textsAfter(arrival.promise, "late"), EVENTS, {
    clock,
    everyMs: BEAT_MS,
  });
  const first = await nextText(chunks);

  const second = nextText(chunks);
  clock.moveMs(BEAT_MS);
  const third = [await second, nextText(chunks)] as const;
  clock.moveMs(BEAT_MS - 1);
  arrival.resolve();

  expect([first, third[0], await third[1]]).toEqual([":\n\n", ":\n\n", "late"]);
  expect(await nextText(chunks)).toBeUndefined();
});

test("a chunk without a silence before it is not preceded by a beat", async () => {
  const chunks = withBeats(textsAfter(Promise.resolve(), "a", "b"), LINES, {
    clock: SYSTEM_CLOCK,
    everyMs: 60_000,
  });

  const texts = [await nextText(chunks), await nextText(chunks), await nextText(chunks)];

  expect(texts).toEqual(["\n", "a", "b"]);
});

test("a chunk cancels the sleep for its beat", async () => {
  const clock = new DrivenClock();
  const texts = textsAfter(Promise.resolve(), "a", "b");
  const chunks = withBeats(texts, LINES, { clock, everyMs: BEAT_MS });

  while ((await nextText(chunks)) !== undefined);

  expect(clock.sleepsMs).toEqual([]);
});

function piece(number: number): TailPiece {
  return { request: requestOf(1, number), sequences: [number], missedSpans: 0 };
}

async function* inOrder(...pieces: TailPiece[]): AsyncGenerator<TailPiece> {
  yield* pieces;
}

async function* textsAfter(arrival: Promise<void>, ...texts: string[]) {
  await arrival;
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function nextText(chunks: AsyncIterator<Uint8Array>): Promise<string | undefined> {
  const { done, value } = await chunks.next();
  return done === true ? undefined : new TextDecoder().decode(value as Uint8Array);
}
