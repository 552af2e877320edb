import { expect, test } from "bun:test";
import {
  isAnythingLost,
  type Losses,
  lossesOf,
  lossTexts,
} from "../../../../src/adapters/cli/run/losses.ts";
import type { Receiver } from "../../../../src/adapters/cli/run/receiver.ts";
import { LoggedBuffer } from "../../../../src/application/logged-buffer.ts";
import { RecordingLogger } from "../../../support/recording-logger.ts";
import { requestOf } from "../../../support/request-bytes.ts";
import { searchedRing } from "../../../support/searched-ring.ts";

const NOTHING: Losses = {
  evictedSpans: 0,
  rejectedSpans: 0,
  refusedRequests: 0,
  unkeptRequests: 0,
};

test("what is lost is in the books, or among the requests that were not kept", () => {
  const { buffer, arrive } = searchedRing({ spans: 2, bytes: 1 << 16 });
  const outcomes = { malformed: 1, too_large: 2, failed: 4, refused: 8 };
  const counts: Readonly<Record<string, number>> = outcomes;
  const requests: Receiver["requests"] = (outcome) => counts[outcome] ?? 16;
  arrive(requestOf(5));

  const losses = lossesOf({ buffer: new LoggedBuffer(buffer, new RecordingLogger()), requests });

  expect(losses).toEqual({ ...NOTHING, evictedSpans: 3, refusedRequests: 8, unkeptRequests: 7 });
});

test("when nothing is lost, nothing is told", () => {
  expect(isAnythingLost(NOTHING)).toBe(false);
  expect(lossTexts(NOTHING)).toEqual([]);
});

test.each([
  { losses: { evictedSpans: 1 }, says: "1 span was evicted before anybody could look; set MAX" },
  { losses: { rejectedSpans: 2 }, says: "2 spans were rejected as not valid; mend the exporter" },
  { losses: { refusedRequests: 1 }, says: "1 request was refused by a full buffer; set MAX" },
  {
    losses: { unkeptRequests: 2 },
    says: "2 requests were malformed, or larger than a limit such as MAX_BUFFER_SIZE",
  },
])("$says", ({ losses, says }) => {
  const lost = { ...NOTHING, ...losses };

  expect(isAnythingLost(lost)).toBe(true);
  expect(lossTexts(lost)).toEqual([
    expect.stringContaining(`expectations may have missed spans: ${says}`),
  ]);
});
