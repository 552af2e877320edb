import { expect, test } from "bun:test";
import { isWhole, resultText, type UploadResult } from "../../../src/page/model/upload-result.ts";

const WHOLE: UploadResult = {
  spans: 312,
  traces: 14,
  rejected_spans: 0,
  refused_requests: 0,
  other_signals: 0,
  broken_parts: 0,
  reasons: [],
  is_complete: true,
};

test.each<{ given: Partial<UploadResult>; text: string; whole: boolean }>([
  { given: {}, text: "312 spans of 14 traces", whole: true },
  { given: { spans: 1, traces: 1 }, text: "1 span of 1 trace", whole: true },
  { given: { rejected_spans: 2 }, text: "312 spans of 14 traces; 2 spans refused", whole: false },
  {
    given: { refused_requests: 1, broken_parts: 3 },
    text: "312 spans of 14 traces; 1 request refused; 3 unreadable parts skipped",
    whole: false,
  },
  {
    given: { other_signals: 2 },
    text: "312 spans of 14 traces; 2 requests with metrics or logs skipped",
    whole: true,
  },
  {
    given: { is_complete: false },
    text: "312 spans of 14 traces; the rest of the file was not read",
    whole: false,
  },
])("the result is shown as $text", ({ given, text, whole }) => {
  const result = { ...WHOLE, ...given };

  expect(resultText(result)).toBe(text);
  expect(isWhole(result)).toBe(whole);
});
