import { expect, test } from "bun:test";
import { markBefore, markRequest, newSegment } from "../../../src/application/log/segment.ts";

test("a segment has at most 64 marks, however many requests it has", () => {
  const segment = newSegment({ number: 1, salt: 1, name: "spans-1", firstSequence: 1 });
  const segmentBytes = 6_400_000;

  for (let offsetBytes = 0; offsetBytes < segmentBytes; offsetBytes += 100) {
    const sequence = 1 + offsetBytes / 100;
    markRequest(segment, { sequence, offsetBytes, unixMs: 1 }, segmentBytes);
  }

  expect(segment.marks).toHaveLength(64);
  expect(markBefore(segment, 1_999)?.offsetBytes).toBe(100_000);
});
