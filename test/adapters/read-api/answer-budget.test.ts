import { expect, test } from "bun:test";
import {
  AnswerBudget,
  cancelledBy,
  heldBuffer,
} from "../../../src/adapters/read-api/answer-budget.ts";
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
import type { CopiedSpans, SearchedBuffer, SpanReader } from "../../../src/ports/trace-buffer.ts";
import { ProblemError } from "../../../src/adapters/read-api/problem.ts";
import { NEVER } from "../../support/running/searched-ring.ts";
import { compileFilter } from "../../../src/domain/query/span-matcher.ts";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";

stopReadApisAfterEach();

const LARGE_RING = { spans: 600_000, bytes: 2 ** 25 };
const EVERY_SPAN = "limit=1000000";

test("the budget has room until its limit is reached", () => {
  const budget = new AnswerBudget(10);
  const [one, other] = [budget.begin(), budget.begin()];

  one.hold(9);
  expect(budget.hasRoom()).toBe(true);
  other.hold(1);
  expect(budget.hasRoom()).toBe(false);
  one.release();
  expect(budget.hasRoom()).toBe(true);
});

test("an answer may grow while the others leave room, even if it exceeds the budget itself", () => {
  const budget = new AnswerBudget(10);
  const [one, other] = [budget.begin(), budget.begin()];

  one.hold(100);

  expect(one.mayGrow()).toBe(true);
  expect(other.mayGrow()).toBe(false);
});

test("bytes are released only once", () => {
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
])("$method $path is answered with a delay while another answer uses the budget", async (route) => {
  const { request, ring, put } = runReadApi({ capacity: LARGE_RING, answerBudgetBytes: 1 });
  put(largeRequest());
  const size = ring.size();

  const waiting = await request(`/api/spans?${EVERY_SPAN}`, AS_PROTOBUF);
  const refused = await request(route.path, { method: route.method });

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ title: "Service Unavailable" });
  expect(ring.size()).toBe(size);

  await waiting.bytes();
  const answered = await request(route.path, { method: route.method });

  expect(answered.status).toBe(200);
});

test("an answer that exceeds the budget is replaced by a problem", () => {
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

test("a wait that finds more than the budget allows is answered with 503", async () => {
  const run = runReadApi({ capacity: LARGE_RING, answerBudgetBytes: 1 });
  const waits = [1, 2].map(() => run.request("/api/wait?after=5&count=10&timeout=10m"));
  await run.waiters(2);

  run.put(requestOf(5, 100));
  await run.waiters(1);
  run.put(requestOf(5, 200));
  const statuses = (await Promise.all(waits)).map(({ status }) => status);

  expect(statuses.toSorted()).toEqual([200, 503]);
});

test("a wait for a trace is charged for its current copy, not for earlier ones", async () => {
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

/** Counts copies; `done(n)` resolves after the n-th. */
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

test("an answer that was handed over holds its bytes until release(), despite disposal", () => {
  const budget = new AnswerBudget(10);
  const held = budget.begin();
  held.hold(7);

  held.handOver();
  held[Symbol.dispose]();
  const whileSent = budget.heldBytes;
  held.release();

  expect([whileSent, budget.heldBytes]).toEqual([7, 0]);
});

const TEN_BYTES_EACH: SearchedBuffer = {
  range: () => ({ first: 1, next: 9 }),
  visit: () => {},
  copy: (sequences) => ({ request: new Uint8Array(10 * sequences.length), sequences }),
};

test("copied bytes are charged", () => {
  const budget = new AnswerBudget(20);
  const buffer = heldBuffer(TEN_BYTES_EACH, { held: budget.begin(), ended: NEVER });

  const copied = buffer.copy([1, 2]);

  expect(copied.sequences).toEqual([1, 2]);
  expect(budget.hasRoom()).toBe(false);
  expect(buffer.range()).toEqual({ first: 1, next: 9 });
});

test("without room, nothing is copied, and the spans are counted as refused", () => {
  const budget = new AnswerBudget(20);
  const held = budget.begin();
  let refusals = 0;
  const buffer = heldBuffer(TEN_BYTES_EACH, {
    held,
    ended: NEVER,
    whenRefused: () => (refusals += 1),
  });
  budget.begin().hold(20);

  const copied = buffer.copy([1, 2]);

  expect(copied).toEqual({ request: new Uint8Array(0), sequences: [] });
  expect([held.refusedSpans, refusals]).toEqual([2, 1]);
});

test("an empty copy is never refused", () => {
  const budget = new AnswerBudget(20);
  const held = budget.begin();
  budget.begin().hold(20);

  heldBuffer(TEN_BYTES_EACH, { held, ended: NEVER }).copy([]);

  expect(held.refusedSpans).toBe(0);
});

test("after its answer has ended, a buffer is neither searched nor copied", () => {
  const budget = new AnswerBudget(20);
  const ending = new AbortController();
  const buffer = heldBuffer(TEN_BYTES_EACH, { held: budget.begin(), ended: ending.signal });
  const scan = { matcher: compileFilter([]), newestFirst: false, range: { first: 1, next: 2 } };

  ending.abort();

  expect(() => buffer.range()).toThrow(ProblemError);
  expect(() => buffer.visit(scan, () => true)).toThrow(ProblemError);
  expect(() => buffer.copy([1, 2])).toThrow(ProblemError);
  expect(budget.hasRoom()).toBe(true);
});

test("cancelledBy() follows any of its signals", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const { signal } = cancelledBy([one.signal, other.signal]);

  expect(signal.aborted).toBe(false);
  other.abort();
  expect(signal.aborted).toBe(true);
});

test("cancelledBy() is cancelled from the beginning by an aborted signal", () => {
  expect(cancelledBy([AbortSignal.abort()]).signal.aborted).toBe(true);
});

test("cancel() cancels without a signal", () => {
  const cancellation = cancelledBy([]);

  cancellation.cancel();

  expect(cancellation.signal.aborted).toBe(true);
});

test("disposal cancels and removes the listeners from the signals", () => {
  const followed = countedSignal();
  const cancellation = cancelledBy([followed.signal]);
  const listening = followed.listening();

  cancellation[Symbol.dispose]();

  expect(cancellation.signal.aborted).toBe(true);
  expect([listening, followed.listening()]).toEqual([1, 0]);
});
