import { expect, test } from "bun:test";
import { isAnythingLost, lossesOf, lossTexts } from "../../../../src/adapters/cli/run/losses.ts";
import { LoggedBuffer } from "../../../../src/application/ring/logged-buffer.ts";
import { problemTotals } from "../../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { searchedRing } from "../../../support/running/searched-ring.ts";

const threeEvicted = () => problemTotals({ evicted: 3, malformed: 0 });

test("losses are the problems that have happened, and whether any span came in", () => {
  const { buffer: ring, arrive } = searchedRing();
  const buffer = new LoggedBuffer(ring, new RecordingLogger());
  const before = lossesOf({ buffer, problems: threeEvicted });
  arrive(requestOf(1));
  const after = lossesOf({ buffer, problems: threeEvicted });

  expect(before).toEqual({ problems: problemTotals({ evicted: 3 }), hasSpans: false });
  expect(after.hasSpans).toBe(true);
});

test("when nothing is lost, nothing is said", () => {
  expect(isAnythingLost({ problems: [], hasSpans: true })).toBe(false);
  expect(lossTexts({ problems: [], hasSpans: true })).toEqual([]);
  expect(lossTexts({ problems: [], hasSpans: false })).toEqual([]);
});

test.each([
  { reason: "evicted", says: "1 span was evicted from the full buffer; set MAX_BUFFER_SIZE" },
  { reason: "rejected", says: "1 span was rejected as invalid; correct the exporter" },
  { reason: "buffer_full", says: "1 request was refused by the full buffer; set MAX_BUFFER_SIZE" },
  { reason: "too_large", says: "1 request was larger than a limit; send smaller batches" },
  { reason: "failed", says: "1 request was refused because of a fault of spanring; please report" },
  { reason: "tls", says: "1 connection was begun with TLS, which this port does not speak; use h" },
] as const)("$says", ({ reason, says }) => {
  const losses = { problems: problemTotals({ [reason]: 1 }), hasSpans: true };

  expect(isAnythingLost(losses)).toBe(true);
  expect(lossTexts(losses)).toEqual([expect.stringContaining(`spans may be missing: ${says}`)]);
});

test("where no span arrived, it says what did, with what was wrong with it", () => {
  const [notOtlp] = problemTotals({ not_otlp_json: 3 }, "at byte 0: the body must be one object");
  const problems = [notOtlp!, ...problemTotals({ unsupported_logs: 1 })];

  expect(lossTexts({ problems, hasSpans: false })).toEqual([
    "no span arrived, but 3 requests were in JSON, and not OTLP " +
      `(at byte 0: the body must be one object); ${notOtlp!.hint}`,
    expect.stringContaining("no span arrived, but 1 request was for logs, which are not kept;"),
  ]);
});

test("what had no spans in it is no loss, and is not mentioned beside spans that arrived", () => {
  const losses = { problems: problemTotals({ unsupported_logs: 1, wrong_method: 2 }) };

  expect(isAnythingLost({ ...losses, hasSpans: true })).toBe(false);
  expect(lossTexts({ ...losses, hasSpans: true })).toEqual([]);
});
