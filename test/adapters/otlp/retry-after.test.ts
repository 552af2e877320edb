import { expect, test } from "bun:test";
import { retryAfterMs } from "../../../src/adapters/otlp/retry-after.ts";

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

test.each([
  { header: "0", ms: 0 },
  { header: "120", ms: 120_000 },
  { header: " 7 ", ms: 7000 },
  { header: "Fri, 02 Jan 2026 03:04:15 GMT", ms: 10_000 },
  { header: "Friday, 02-Jan-26 03:04:15 GMT", ms: 10_000 },
  { header: "Fri, 02 Jan 2026 03:04:00 GMT", ms: 0 },
  { header: null, ms: undefined },
  { header: "", ms: undefined },
  { header: "soon", ms: undefined },
  { header: "1.5", ms: undefined },
  { header: "-1", ms: undefined },
  { header: "9".repeat(40), ms: undefined },
  { header: "2026-01-02", ms: undefined },
  { header: "Fri, 99 Foo", ms: undefined },
])("Retry-After: $header is $ms", ({ header, ms }) => {
  expect(retryAfterMs(header, NOW_MS)).toBe(ms);
});
