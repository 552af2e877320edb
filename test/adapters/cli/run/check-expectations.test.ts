import { expect, test } from "bun:test";
import {
  type CheckedReceiver,
  checkExpectations,
  isAnythingLost,
  lossesOf,
  lossTexts,
} from "../../../../src/adapters/cli/run/check-expectations.ts";
import { LoggedBuffer } from "../../../../src/application/ring/logged-buffer.ts";
import { PROBLEM_PROTOCOLS } from "../../../../src/domain/problem-reason.ts";
import type { Expectation } from "../../../../src/domain/expectation/expectation.ts";
import { readExpectation } from "../../../../src/domain/expectation/read-expectation.ts";
import { problemTotals } from "../../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { NEVER, nextTurn, searchedRing } from "../../../support/running/searched-ring.ts";

function receiving(capacity = { spans: 100, bytes: 1 << 16 }) {
  const { buffer, arrivals, arrive } = searchedRing(capacity);
  const logged = new LoggedBuffer(buffer, new RecordingLogger());
  const receiver: CheckedReceiver = { buffer: logged, arrivals, problems: () => [] };
  return { receiver, arrive };
}

const expectation = (text: string) => readExpectation(text, 0n) as Expectation;

const settling = (settleMs: number) => ({ settleMs, interrupted: NEVER });

test.each([
  { text: "name=span 1", isMet: true, seen: 1, nearest: undefined },
  { text: "service=shop & count=3", isMet: true, seen: 3, nearest: undefined },
  { text: "service=shop & count>3", isMet: false, seen: 3, nearest: [] },
  { text: "service=shop & name=no", isMet: false, seen: 0, nearest: [1, 1, 1] },
  { text: "service=shop & count<3", isMet: false, seen: 3, nearest: [1] },
  { text: "name=no & count=0", isMet: true, seen: 0, nearest: undefined },
  { text: "count=0", isMet: false, seen: 3, nearest: [1] },
])(
  "three spans, $text: isMet is $isMet, with $seen spans seen",
  async ({ text, isMet, seen, nearest }) => {
    const { receiver, arrive } = receiving();
    arrive(requestOf(3));

    const [checked] = await checkExpectations(receiver, [expectation(text)], settling(1));

    expect(checked).toMatchObject({ isMet, seen: { count: seen } });
    const counts = checked?.explanation?.nearest.map(({ count }) => count);
    expect<unknown>(counts).toEqual(nearest);
  },
);

// Goal: an expectation of absence is never met if unseen spans may have matched.
test.each([
  { text: "name=no & count=0", isMet: false, isUncertain: true },
  { text: "service=shop & count=2", isMet: false, isUncertain: true },
  { text: "service=shop & count<=2", isMet: false, isUncertain: true },
  { text: "service=shop & count<3", isMet: false, isUncertain: true },
  { text: "service=shop & count<2", isMet: false, isUncertain: undefined },
  { text: "service=shop & count>=2", isMet: true, isUncertain: undefined },
  { text: "service=shop & count>1", isMet: true, isUncertain: undefined },
  { text: "service=shop & count>=3", isMet: false, isUncertain: undefined },
])(
  "three spans, one of them evicted, $text: isMet is $isMet",
  async ({ text, isMet, isUncertain }) => {
    const { receiver, arrive } = receiving({ spans: 2, bytes: 1 << 16 });
    arrive(requestOf(3));

    const [checked] = await checkExpectations(
      { ...receiver, problems: () => problemTotals({ evicted: 1 }) },
      [expectation(text)],
      settling(1),
    );

    expect(checked?.isMet).toBe(isMet);
    expect(checked?.isUncertain).toBe(isUncertain);
  },
);

test.each(["buffer_full", "malformed", "too_large", "failed", "unknown_path"] as const)(
  "a span in a request refused as %s may have matched",
  async (reason) => {
    const { receiver } = receiving();
    const problems = () => problemTotals({ [reason]: 1 });

    const [checked] = await checkExpectations(
      { ...receiver, problems },
      [expectation("count=0")],
      settling(1),
    );

    expect(checked).toMatchObject({ isMet: false, isUncertain: true });
  },
);

test("spans that arrive before the deadline are counted", async () => {
  const { receiver, arrive } = receiving();

  const checking = checkExpectations(receiver, [expectation("name=span 2")], settling(60_000));
  await nextTurn();
  arrive(requestOf(2));

  expect(await checking).toMatchObject([{ isMet: true }]);
});

test("an interruption ends the wait", async () => {
  const { receiver } = receiving();
  const interrupted = AbortSignal.abort();

  const checking = checkExpectations(receiver, [expectation("name=no")], {
    settleMs: 60_000,
    interrupted,
  });

  expect(await checking).toMatchObject([{ isMet: false }]);
});

const threeEvicted = () => problemTotals({ evicted: 3, malformed: 0 });

test("the losses include only problems that occurred, and whether any span arrived", () => {
  const { buffer: ring, arrive } = searchedRing();
  const buffer = new LoggedBuffer(ring, new RecordingLogger());
  const before = lossesOf({ buffer, problems: threeEvicted });
  arrive(requestOf(1));
  const after = lossesOf({ buffer, problems: threeEvicted });

  expect(before).toEqual({ problems: problemTotals({ evicted: 3 }), hasSpans: false });
  expect(after.hasSpans).toBe(true);
});

test("no text is written if no span was lost", () => {
  expect(isAnythingLost({ problems: [], hasSpans: true })).toBe(false);
  expect(lossTexts({ problems: [], hasSpans: true })).toEqual([]);
  expect(lossTexts({ problems: [], hasSpans: false })).toEqual([]);
});

test.each([
  { reason: "evicted", says: "1 span was evicted from the full buffer; raise MAX_BUFFER_SIZE" },
  { reason: "rejected", says: "1 span was rejected as invalid; fix the exporter" },
  {
    reason: "buffer_full",
    says: "1 request was refused because the buffer was full; raise MAX_BUFFER_SIZE",
  },
  { reason: "too_large", says: "1 request was larger than a limit; send smaller batches" },
  { reason: "failed", says: "1 request was refused because of an internal error; please report" },
  {
    reason: "tls",
    says: "1 connection was opened with TLS, which this port does not support; use h",
  },
] as const)("a problem is reported as a loss: $says", ({ reason, says }) => {
  const losses = { problems: problemTotals({ [reason]: 1 }), hasSpans: true };

  expect(isAnythingLost(losses)).toBe(true);
  expect(lossTexts(losses)).toEqual([expect.stringContaining(`spans may be missing: ${says}`)]);
});

test("if no span arrived, the requests that arrived instead are listed with their details", () => {
  const [notOtlp] = problemTotals({ not_otlp_json: 3 }, "at byte 0: the body must be one object");
  const problems = [notOtlp!, ...problemTotals({ unsupported_logs: 1 })];

  expect(lossTexts({ problems, hasSpans: false })).toEqual([
    "no span arrived, but 3 requests were JSON, but not OTLP " +
      `(at byte 0: the body must be one object); ${notOtlp!.hint}`,
    expect.stringContaining(
      "no span arrived, but 1 request was for logs, which are not supported;",
    ),
  ]);
});

test("a request without spans is not a loss, and is not reported if spans arrived", () => {
  const losses = { problems: problemTotals({ unsupported_logs: 1, wrong_method: 2 }) };

  expect(isAnythingLost({ ...losses, hasSpans: true })).toBe(false);
  expect(lossTexts({ ...losses, hasSpans: true })).toEqual([]);
});

test("a shortage that every port counts is mentioned once", () => {
  const [shortage] = problemTotals({ out_of_descriptors: 2 });
  const problems = PROBLEM_PROTOCOLS.map((protocol) => ({ ...shortage!, protocol }));

  expect(lossTexts({ problems, hasSpans: true })).toEqual([
    expect.stringContaining("spans may be missing: 2 shortages were noticed"),
  ]);
});
