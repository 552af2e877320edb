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
  tooLargeRequests: 0,
  unkeptRequests: 0,
  strayRequests: 0,
  unreadableRequests: 0,
};

test("what is lost is in the books, or among the requests that were not kept", () => {
  const { buffer, arrive } = searchedRing({ spans: 2, bytes: 1 << 16 });
  const wrong = { unknown_path: 16, unsupported_media: 32 };
  const outcomes = { malformed: 1, too_large: 2, failed: 4, refused: 8, ...wrong };
  const counts: Readonly<Record<string, number>> = outcomes;
  const requests: Receiver["requests"] = (outcome) => counts[outcome] ?? 64;
  arrive(requestOf(5));

  const losses = lossesOf({ buffer: new LoggedBuffer(buffer, new RecordingLogger()), requests });

  expect(losses).toEqual({
    evictedSpans: 3,
    rejectedSpans: 0,
    refusedRequests: 8,
    tooLargeRequests: 2,
    unkeptRequests: 5,
    strayRequests: 16,
    unreadableRequests: 32,
  });
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
    losses: { tooLargeRequests: 2 },
    says: "2 requests were larger than a limit, such as GRPC_MAX_MESSAGE_LENGTH; set it higher",
  },
  {
    losses: { unkeptRequests: 1 },
    says: "1 request was malformed, or met a fault of the receiver",
  },
  {
    losses: { strayRequests: 2 },
    says: "2 requests were sent to a path where nothing is; traces go to /v1/traces",
  },
  {
    losses: { unreadableRequests: 1 },
    says:
      "1 request was of a type or in an encoding that is not taken; over HTTP protobuf and " +
      "JSON are, plain or with gzip or zstd, and over gRPC gzip and deflate",
  },
])("$says", ({ losses, says }) => {
  const lost = { ...NOTHING, ...losses };

  expect(isAnythingLost(lost)).toBe(true);
  expect(lossTexts(lost)).toEqual([
    expect.stringContaining(`expectations may have missed spans: ${says}`),
  ]);
});
