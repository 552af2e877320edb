import { expect, test } from "bun:test";
import { AnswerBudget } from "../../../src/adapters/read-api/answer-budget.ts";
import { heldResponse } from "../../../src/adapters/read-api/span-answer.ts";
import { largeRequest } from "../../support/requests/large-request.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import {
  request as requestBytes,
  requestOf,
  resourceSpans,
  span,
} from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import {
  AS_PROTOBUF,
  runReadApi,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";
import type { CopiedSpans, SpanReader } from "../../../src/ports/trace-buffer.ts";

stopReadApisAfterEach();

const LARGE_RING = { spans: 600_000, bytes: 2 ** 25 };
const EVERY_SPAN = "limit=1000000";

test("the budget has room until its limit is held", () => {
  const budget = new AnswerBudget(10);
  const [one, other] = [budget.begin(), budget.begin()];

  one.hold(9);
  expect(budget.hasRoom()).toBe(true);
  other.hold(1);
  expect(budget.hasRoom()).toBe(false);
  one.release();
  expect(budget.hasRoom()).toBe(true);
});

test("an answer may grow as long as the others leave room, however large it is itself", () => {
  const budget = new AnswerBudget(10);
  const [one, other] = [budget.begin(), budget.begin()];

  one.hold(100);

  expect(one.mayGrow()).toBe(true);
  expect(other.mayGrow()).toBe(false);
});

test("released bytes are not released again", () => {
  const budget = new AnswerBudget(10);
  const [one, other] = [budget.begin(), budget.begin()];
  other.hold(10);
  one.hold(5);

  one.release();
  one.release();

  expect(budget.hasRoom()).toBe(false);
});

test("refused spans are reported once", () => {
  const held = new AnswerBudget(10).begin();
  held.refuse(2);
  held.refuse(1);

  expect([held.refusedSpans, held.takeRefused(), held.takeRefused()]).toEqual([3, 3, 0]);
});

test.each([
  { method: "POST", path: "/api/spans/take" },
  { method: "GET", path: "/api/spans" },
  { method: "GET", path: "/api/traces" },
  { method: "GET", path: "/api/traces/ab070707070707070707070700000001" },
  { method: "GET", path: "/api/wait" },
])("while a reader keeps its answer waiting, $method $path is asked to retry", async (asked) => {
  const { request, ring, put } = runReadApi({ capacity: LARGE_RING, answerBudgetBytes: 1 });
  put(largeRequest());
  const size = ring.size();

  const waiting = await request(`/api/spans?${EVERY_SPAN}`, AS_PROTOBUF);
  const refused = await request(asked.path, { method: asked.method });

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ title: "Service Unavailable" });
  expect(ring.size()).toBe(size);

  await waiting.bytes();
  const answered = await request(asked.path, { method: asked.method });

  expect(answered.status).toBe(200);
});

test("an answer that runs out of room is replaced by a problem", () => {
  const budget = new AnswerBudget(10);
  const held = budget.begin();
  held.hold(10);
  held.refuse(1);
  const parts = { budget, runId: "a1", logger: new RecordingLogger() };

  const body = { status: 200, headers: {}, chunks: [new Uint8Array(10)].values() };
  const response = heldResponse(parts, held, body);
  held[Symbol.dispose]();

  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(budget.hasRoom()).toBe(true);
});

test("a wait without room for what it finds is asked to retry", async () => {
  const run = runReadApi({ capacity: LARGE_RING, answerBudgetBytes: 1 });
  const waits = [1, 2].map(() => run.request("/api/wait?after=5&count=10&timeout=10m"));
  await run.waiters(2);

  run.put(requestOf(5, 100));
  await run.waiters(1);
  run.put(requestOf(5, 200));
  const statuses = (await Promise.all(waits)).map(({ status }) => status);

  expect(statuses.toSorted()).toEqual([200, 503]);
});

test("a wait for a trace counts what it holds, not what it read before", async () => {
  const reads = countedReads();
  const copy: SpanReader["copy"] = (sequences) => reads.note(run.ring.copy(sequences));
  const run = runReadApi({ spanCount: 0, answerBudgetBytes: 2_500, faults: { copy } });
  const child = bytesField(4, [1, 2, 3, 4, 5, 6, 7, 8]);
  const wholeTrace = "name=span+9&trace_complete=true&quiet=0s&timeout=10m";
  run.put(requestBytes(resourceSpans("shop", span(9, child, bytesField(3, "x".repeat(900))))));

  const waiting = run.request(`/api/wait?${wholeTrace}`);
  for (const read of [1, 2, 3]) {
    await reads.done(read);
    run.put(requestBytes(resourceSpans("shop", span(9, child))));
  }
  const beside = await run.request("/api/spans?limit=1");
  run.put(requestBytes(resourceSpans("shop", span(9))));

  expect(beside.status).toBe(200);
  expect((await waiting).status).toBe(200);
});

/** Tells when so many copies have been made. */
function countedReads() {
  const wakers = new Map<number, () => void>();
  let count = 0;
  return {
    note: (copied: CopiedSpans): CopiedSpans => {
      count += 1;
      wakers.get(count)?.();
      return copied;
    },
    done: (wanted: number) =>
      new Promise<void>((resolve) => {
        if (count >= wanted) resolve();
        else wakers.set(wanted, resolve);
      }),
  };
}

test("an answer without a body holds nothing", async () => {
  const { request } = runReadApi({ answerBudgetBytes: 1 });

  await request("/api/spans", { method: "HEAD" });
  const next = await request("/api/spans");

  expect(next.status).toBe(200);
});

test("an answer that is handed over is held until it is released, whatever disposes of it", () => {
  const budget = new AnswerBudget(10);
  const held = budget.begin();
  held.hold(7);

  held.handOver();
  held[Symbol.dispose]();
  const whileSent = budget.heldBytes;
  held.release();

  expect([whileSent, budget.heldBytes]).toEqual([7, 0]);
});
